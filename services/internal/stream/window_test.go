package stream

import "testing"

func TestSessionsShareTheWindow(t *testing.T) {
	for _, c := range []struct{ window, sessions, want int }{
		{4_096, 1, 4_096}, {4_096, 4, 1_024}, {64, 3, 21}, {2, 4, 1},
	} {
		if got := portion(c.window, c.sessions); got != c.want {
			t.Errorf("of a window of %d each of %d sessions gets %d, want %d", c.window, c.sessions, got, c.want)
		}
	}
}
