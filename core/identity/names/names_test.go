package names_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/names"
)

func TestLoad(t *testing.T) {
	d := names.Load()
	m, err := identity.NewMatcher(identity.Default(), d)
	if err != nil {
		t.Fatal(err)
	}
	short := func(a, b string) bool {
		x, y := identity.Record{Names: []identity.Name{{Given: a}}}, identity.Record{Names: []identity.Name{{Given: b}}}
		p, q := m.Prepare(&x), m.Prepare(&y)
		return m.Levels(&p, &q)[identity.FieldGivenName] == identity.ReasonGivenNameShort
	}
	for _, pair := range [][2]string{{"bob", "robert"}, {"robert", "bob"}, {"liz", "elizabeth"}, {"bill", "william"}, {"susan", "susanna"}} {
		if !short(pair[0], pair[1]) {
			t.Errorf("%s is not known as %s", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"bob", "george"}, {"eric", "erin"}, {"mario", "maria"}, {"aaron", "erin"}, {"andrew", "andrea"}} {
		if short(pair[0], pair[1]) {
			t.Errorf("%s is known as %s", pair[0], pair[1])
		}
	}
	if smith, joyce := d.Share(identity.FieldFamilyName, "smith"), d.Share(identity.FieldFamilyName, "joyce"); smith < 0.005 || smith > 0.01 || joyce <= 0 || joyce > smith/10 {
		t.Errorf("Smith has %f of all, Joyce %f", smith, joyce)
	}
	if jacob := d.Share(identity.FieldGivenName, "jacob"); jacob < 0.005 || jacob > 0.02 {
		t.Errorf("Jacob has %f of all", jacob)
	}
	if v := d.Share(identity.FieldFamilyName, "szymborska"); v != 0 {
		t.Errorf("Szymborska has %f of all", v)
	}
}
