package form_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/form"
)

func FuzzRead(f *testing.F) {
	const multi = "multipart/form-data; boundary=b"
	for _, s := range []struct{ contentType, body string }{
		{"application/json", `{"entry":[{"changes":[{"field":"leadgen","value":{"leadgen_id":1,"field_data":[{"name":"email","values":["a@b.example"]}]}}]}]}`},
		{"application/json", `{"user_column_data":[{"column_id":"VEHICLE_MODEL","string_value":"X"}],"google_key":"k","is_test":true,"custom_disclaimer_responses":[{"checkbox_key":"m","is_checked":"1"}]}`},
		{"application/json", `[{"first name":"A","vehicle":{"model":"2024 B"}},{"الهاتف":"+966501234567"}]`},
		{"application/x-www-form-urlencoded", "name=A&email=a%40b.example&newsletter=on&x[]=1&x[]=2&bad=%zz"},
		{multi, "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.example\r\n--b--\r\n"},
	} {
		f.Add(s.contentType, []byte(s.body))
	}
	r := form.NewReader()
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		if notices, _, err := form.ReadNotices(body); err == nil {
			for i := range notices {
				if again, err := form.ReadNotice(notices[i].Raw); err != nil || again.LeadID != notices[i].LeadID {
					t.Fatalf("a notice reads again as %+v, %v", again, err)
				}
			}
		}
		if _, rest := form.Without(contentType, body, "key"); len(rest) > 2*len(body)+16 {
			t.Fatalf("emptied from %d to %d bytes", len(body), len(rest))
		}
		forms, _, err := form.Read(form.Generic, contentType, body)
		if err != nil {
			return
		}
		for i := range forms {
			if !bytes.Contains(body, forms[i].Raw) {
				t.Fatal("the raw form is no part of the document")
			}
			l := r.Lead(&forms[i], nil)
			if len(l.Extra) > 200 || len(l.Flags) > 110 || len(l.Parties) > 1 || strings.Count(l.Comments, "") > 20_001 {
				t.Fatalf("a lead larger than its limits: %d, %d, %d", len(l.Extra), len(l.Flags), len(l.Parties))
			}
		}
	})
}
