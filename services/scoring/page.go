package scoring

import (
	"encoding/binary"
	"fmt"

	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// parsePage reads which part of a list is asked for: how many, and before which number; 0 begins with
// the latest. The lists of this service are ordered by a number that grows, the latest first.
func parsePage(req interface {
	GetPageSize() int32
	GetPageToken() string
}, rpc string) (most int32, before int64, wrong []problem.Violation) {
	most, wrong = pageSize(req.GetPageSize())
	if token := req.GetPageToken(); token != "" {
		place, ok := cursor.Bytes(token)
		if ok = ok && len(place) == 8; ok {
			before = int64(binary.BigEndian.Uint64(place))
			ok = before > 0
		}
		if !ok {
			wrong = append(wrong, problem.Violation{Field: "page_token", Description: "is none that " + rpc + " answered"})
		}
	}
	return most, before, wrong
}

// pageToken is where the page after a row with this number begins.
func pageToken(number int64) string {
	return cursor.Text(binary.BigEndian.AppendUint64(nil, uint64(number)))
}

// pageOf writes the rows of a page, of which one more was read than the most it may have if there are
// more, and the token of the page after it. number is what the list is ordered by.
func pageOf[R, P any](rows []R, most int32, number func(R) int64, write func(R) P) (page []P, next string) {
	if len(rows) > int(most) {
		rows = rows[:most]
		next = pageToken(number(rows[most-1]))
	}
	for _, r := range rows {
		page = append(page, write(r))
	}
	return page, next
}

// pageSize is how many rows are answered where so many are asked for, 0 for the usual number.
func pageSize(asked int32) (most int32, wrong []problem.Violation) {
	switch {
	case asked < 0 || asked > maxPage:
		return 0, []problem.Violation{{Field: "page_size", Description: fmt.Sprintf("must be 1 to %d", maxPage)}}
	case asked == 0:
		return defaultPage, nil
	}
	return asked, nil
}
