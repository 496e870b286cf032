package e2e_test

import (
	"bytes"
	bytesof "encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// temper is one way of filling a message with what its author did not think of.
type temper struct {
	name    string
	text    string
	whole   int64
	number  float64
	enum    protoreflect.EnumNumber
	seconds int64 // of timestamps and durations
	many    int   // elements of lists
}

// tempers are the ways. Their texts stand in every text field of every message, identifiers and
// page tokens included.
func tempers() []temper {
	uuid := "018f0000-0000-7000-8000-000000000000"
	return []temper{
		{"nothing", "", 0, 0, 0, 0, 0},
		{"NUL", "a\x00b", -1, math.Inf(-1), 1, -62135596800, 1},
		{"controls", "\x01\x1b[31m\x7f\r\n\t\u0085\u2028\u2029", math.MaxInt64, math.NaN(), 99, 253402300799, 2},
		{"turned round", "\u202eadmin\u202c\u2066\u200f\ufeff", math.MinInt64, math.Inf(1), -1, 253402300800, 2},
		{"beyond the plane", "\U0010ffff\ufffe\ufffd\u0301" + strings.Repeat("\u0301", 500), math.MaxInt32, math.MaxFloat64, math.MaxInt32, math.MaxInt64, 1},
		{"long", strings.Repeat("wörd ", 4_000), math.MinInt32, -math.MaxFloat64, 1, math.MinInt64, 1},
		{"no spaces", strings.Repeat("a", 60_000), 1 << 40, 1e-300, 2, 0, 1},
		{"markup", `<!--#exec--><script>'"; DROP TABLE capture.lead; -- ${jndi:ldap://x} {{7*7}} %s%n../../../etc/passwd`, 7, 91, 3, 1, 3},
		{"patterns", "(a+)+$[[[\\*?%_" + strings.Repeat("(", 300), 2, 181, 1, 1, 1},
		{"zones", "Etc/../../../../etc/passwd", 3, -91, 1, 1, 1},
		{"of another list", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 501, 0.1, 1, 1, 1},
		{"an identifier", uuid, 1, 1, 1, 1_700_000_000, 1},
		{"many", "x", 1_000_000, 1, 1, 1_700_000_000, 1_500},
	}
}

// fill makes a message of a type, full to the depth given.
func (h temper) fill(md protoreflect.MessageDescriptor, depth int) *dynamicpb.Message {
	m := dynamicpb.NewMessage(md)
	switch md.FullName() {
	case "google.protobuf.Timestamp", "google.protobuf.Duration":
		m.Set(md.Fields().ByName("seconds"), protoreflect.ValueOfInt64(h.seconds))
		return m
	}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.Message() != nil && depth == 0 {
			continue
		}
		switch {
		case fd.IsMap():
			m.Mutable(fd).Map().Set(protoreflect.ValueOfString(h.text).MapKey(), h.value(fd.MapValue(), m.NewField(fd).Map().NewValue(), depth))
		case fd.IsList():
			list := m.Mutable(fd).List()
			many := h.many
			if depth < 4 { // a thousand in each of a thousand is another attack
				many = min(many, 3)
			}
			for range many {
				list.Append(h.value(fd, list.NewElement(), depth))
			}
		default:
			m.Set(fd, h.value(fd, m.NewField(fd), depth))
		}
	}
	return m
}

func (h temper) value(fd protoreflect.FieldDescriptor, zero protoreflect.Value, depth int) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(h.text)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(h.text))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(h.enum)
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(h.whole%2 != 0)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(h.whole)) //nolint:gosec // whatever is left of it
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(h.whole)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(h.whole)) //nolint:gosec // as above
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(h.whole)) //nolint:gosec // as above
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(h.number)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(h.number))
	case protoreflect.MessageKind:
		return protoreflect.ValueOfMessage(h.fill(fd.Message(), depth-1))
	}
	return zero
}

// loose writes a message as JSON as REST takes it, also where it holds what JSON of messages cannot
// say, such as times after the year 9999.
func loose(m protoreflect.Message) any {
	switch v := m.Interface().(type) {
	case *dynamicpb.Message:
		if name := v.Descriptor().FullName(); name == "google.protobuf.Timestamp" || name == "google.protobuf.Duration" {
			seconds := m.Get(m.Descriptor().Fields().ByName("seconds")).Int()
			switch {
			case seconds == -62135596800:
				return "0000-01-01T00:00:00Z"
			case seconds == 253402300799:
				return "9999-12-31T23:59:59.999999999Z"
			}
			return fmt.Sprintf("%d", seconds)
		}
	}
	out := map[string]any{}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		one := func(v protoreflect.Value) any {
			switch fd.Kind() {
			case protoreflect.MessageKind:
				return loose(v.Message())
			case protoreflect.DoubleKind, protoreflect.FloatKind:
				return json.RawMessage("1e400")
			case protoreflect.BytesKind:
				return v.Bytes()
			}
			return v.Interface()
		}
		switch {
		case fd.IsMap():
			out[string(fd.Name())] = map[string]any{"a\x00": 1}
		case fd.IsList():
			var list []any
			for i := range v.List().Len() {
				list = append(list, one(v.List().Get(i)))
			}
			out[string(fd.Name())] = list
		default:
			out[string(fd.Name())] = one(v)
		}
		return true
	})
	return out
}

// hostileDocument is a body for the doors of leads.
type hostileDocument struct {
	name, route, contentType string
	body                     []byte
	codes                    []int // that may answer it; none: any below 500 (and what is no error is stored)
}

const (
	megabyte  = 1 << 20
	jsonDoor  = "/v1/leads"
	batchDoor = "/v1/leads:batch"
	adfDoor   = "/v1/adf"
	somebody  = `"parties":[{"role":"customer","name":"Mara Example","emails":["mara@example.com"]}]`
)

// hostileDocuments are documents of leads made to hurt whoever reads them.
func hostileDocuments() []hostileDocument {
	refused := []int{400, 413}
	docs := []hostileDocument{
		{"20 MB", jsonDoor, "", bytes.Repeat([]byte("a"), 20*megabyte), []int{413}},
		{"20 MB of XML", adfDoor, "", bytes.Repeat([]byte("<a>"), 7*megabyte), []int{413}},
		{"100,000 levels", jsonDoor, "", []byte(`{"a":` + strings.Repeat("[", 100_000)), []int{400}},
		{"100,000 levels, closed", jsonDoor, "", []byte(`{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}"), []int{400}},
		{"objects in objects", batchDoor, "", []byte(`{"leads":[` + strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000) + "]}"), []int{400}},
		{"100,000 leads", batchDoor, "", []byte(`{"leads":[` + strings.Repeat("{},", 99_999) + "{}]}"), []int{400}},
		{"a million empties", batchDoor, "", []byte("[" + strings.Repeat("{},", 1_000_000) + "{}]"), refused},
		{"a million parties", jsonDoor, "", []byte(`{"parties":[` + strings.Repeat("{},", 1_000_000) + "{}]}"), refused},
		{"a million mails", jsonDoor, "", []byte(`{"parties":[{"emails":[` + strings.Repeat(`"",`, 1_000_000) + `""]}]}`), refused},
		{"a million names", jsonDoor, "", []byte(`{` + strings.Repeat(`"x":1,`, 600_000) + somebody + "}"), nil},
		{"different names", jsonDoor, "", []byte("{" + names(200_000) + somebody + "}"), nil},
		{"a name of 3 MB", jsonDoor, "", []byte(`{"` + strings.Repeat("n", 3*megabyte) + `":1,` + somebody + "}"), nil},
		{"a number of 3 MB", jsonDoor, "", []byte(`{"line":` + strings.Repeat("9", 3*megabyte) + "," + somebody + "}"), nil},
		{"an exponent", jsonDoor, "", []byte(`{"finance":{"budget":{"amount":1e999999999}},"vehicles":[{"year":1e400,"odometer":-1e-999999999}],` + somebody + "}"), nil},
		{"NUL and lone surrogates", jsonDoor, "", []byte(`{"comments":"a\u0000b\ud800c\udc00","parties":[{"name":"\u0000\ud83d","emails":["a\u0000@example.com"],"phones":["\u0000"]}],"vehicles":[{"make":"\u0000","vin":"\u0000\u0000"}],"source":{"source":"\u0000"},"identifiers":[{"value":"a\u0000b"}],"dealer":{"code":"\u0000"}}`), nil},
		{"the same name twice", jsonDoor, "", []byte(`{"parties":[],"parties":{"a":1},` + somebody + `,"test":true,"test":false}`), nil},
		{"no UTF-8", jsonDoor, "", []byte("{\"comments\":\"\xff\xfe\xc3\x28\"," + somebody + "}"), nil},
		{"UTF-16 without saying so", jsonDoor, "", wide(`{`+somebody+`}`, bytesof.LittleEndian, true), []int{400}},
		{"turned round", jsonDoor, "", []byte(`{"comments":"\u202e\u2066` + "\u2028\u2029" + `","parties":[{"name":"\u202eelpmaxE araM"}]}`), nil},
		{"years", jsonDoor, "", []byte(`{"requested_at":"0000-01-01T00:00:00Z","time_frame":{"earliest":"9999-12-31T23:59:59Z","text":"in 99999999999999 years"},"trade_in":{"year":-1},` + somebody + "}"), nil},
		{"words without end", jsonDoor, "", []byte(`{"comments":"` + strings.Repeat("a ", 100_000) + `",` + somebody + "}"), nil},
		{"digits without end", jsonDoor, "", []byte(`{"comments":"` + strings.Repeat("+49 170 ", 30_000) + `","parties":[{"phones":["` + strings.Repeat("1", 200_000) + `"]}]}`), nil},
		{"one name without end", jsonDoor, "", []byte(`{"parties":[{"name":"` + strings.Repeat("von ", 50_000) + `"}]}`), nil},
		{"a mail without end", jsonDoor, "", []byte(`{"parties":[{"emails":["` + strings.Repeat("a.", 100_000) + "@" + strings.Repeat("b.", 20_000) + `c"]}]}`), nil},
		{"empty", jsonDoor, "", []byte("   "), []int{400}},
		{"half", batchDoor, "", []byte(`{"leads":[{"comments":"`), []int{400}},
		{"two documents", jsonDoor, "", []byte("{} {}"), []int{400}},
	}
	for name, text := range hostileXML() {
		docs = append(docs, hostileDocument{"XML: " + name, adfDoor, "", text, nil})
	}
	slices.SortFunc(docs, func(a, b hostileDocument) int { return strings.Compare(a.name, b.name) })
	return docs
}

// hostileXML are ADF documents. Of these a sender reads no answer, so that even what cannot be read
// is kept in its raw form.
func hostileXML() map[string][]byte {
	lead := func(comments string) string {
		return `<adf><prospect><vehicle><make>Kestrel</make></vehicle><customer><contact><name part="full">Mara Example</name><email>mara@example.com</email></contact><comments>` +
			comments + `</comments></customer></prospect></adf>`
	}
	contact := func(element string) []byte {
		return []byte("<adf><prospect><customer><contact>" + strings.Repeat(element, 4*megabyte/len(element)-100) + "</contact></customer></prospect></adf>")
	}
	laughs := "<!DOCTYPE adf [<!ENTITY a0 \"ha\">\n"
	for i := range 30 {
		laughs += fmt.Sprintf("<!ENTITY a%d \"%s\">\n", i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	latin := []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>` + lead("\xe4\xf6\xfc"))
	return map[string][]byte{
		"a billion laughs":         []byte(laughs + "]>" + lead("&a30;")),
		"quadratic":                []byte(`<!DOCTYPE adf [<!ENTITY b "` + strings.Repeat("b", 100_000) + `">]>` + lead(strings.Repeat("&b;", 100_000))),
		"a file":                   []byte(`<!DOCTYPE adf [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + lead("&f;")),
		"another server":           []byte(`<!DOCTYPE adf SYSTEM "http://127.0.0.1:1/x.dtd">` + lead("x")),
		"100,000 levels":           []byte(strings.Repeat("<adf>", 100_000)),
		"levels inside":            []byte(lead(strings.Repeat("<b>", 100_000) + strings.Repeat("</b>", 100_000))),
		"a million attributes":     []byte("<adf " + strings.Repeat(`a="" `, 700_000) + ">" + lead("x")),
		"a million prospects":      []byte("<adf>" + strings.Repeat("<prospect/>", 350_000) + "</adf>"),
		"prospects never closed":   []byte("<adf>" + strings.Repeat("<prospect>", 350_000)),
		"quoted again and again":   []byte(strings.Repeat("&amp;", 10_000) + "lt;adf&gt;" + lead("x")),
		"CDATA never closed":       []byte(lead(strings.Repeat("<![CDATA[", 100_000))),
		"comments never closed":    []byte(strings.Repeat("<!--", 500_000) + lead("x")),
		"opened, never closed":     []byte(strings.Repeat("<", 2*megabyte)),
		"ampersands":               []byte(lead(strings.Repeat("&", megabyte))),
		"references":               []byte(lead(strings.Repeat("&#0;&#x1b;&#xd800;&#x10ffff;&#99999999999;", 20_000))),
		"NUL":                      []byte(lead("a\x00b")),
		"an e-mail's worth":        []byte(lead(strings.Repeat("Key: value\n", 100_000))),
		"200,000 mails":            contact("<email>a@example.com</email>"),
		"200,000 phones":           contact("<phone>+14155550100</phone>"),
		"200,000 names":            contact(`<name part="first">A</name>`),
		"200,000 addresses":        contact("<address><street>A</street></address>"),
		"200,000 vehicles":         []byte("<adf><prospect>" + strings.Repeat("<vehicle><make>A</make></vehicle>", 100_000) + "</prospect></adf>"),
		"ISO-8859-1":               latin,
		"Windows-1252":             []byte(`<?xml version="1.0" encoding="windows-1252"?>` + lead("\x80\x93\x94")),
		"says UTF-8 and is not":    []byte(`<?xml version="1.0" encoding="UTF-8"?>` + lead("\xe4\xf6\xfc")),
		"says UTF-16 and is not":   []byte(`<?xml version="1.0" encoding="UTF-16"?>` + lead("x")),
		"UTF-16 with mark":         wide(`<?xml version="1.0" encoding="UTF-16"?>`+lead("ä"), bytesof.LittleEndian, true),
		"UTF-16 without":           wide(`<?xml version="1.0" encoding="UTF-16BE"?>`+lead("ä"), bytesof.BigEndian, false),
		"UTF-16, odd":              append(wide(lead("ä"), bytesof.BigEndian, true), 'x'),
		"an encoding nobody knows": []byte(`<?xml version="1.0" encoding="` + strings.Repeat("x", 10_000) + `"?>` + lead("x")),
		"UTF-7":                    []byte(`<?xml version="1.0" encoding="UTF-7"?>` + lead("+ADw-script+AD4-")),
	}
}

// names are as many different names of JSON members.
func names(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"n%d":0,`, i)
	}
	return b.String()
}

// wide writes a text in UTF-16.
func wide(s string, order bytesof.AppendByteOrder, mark bool) (out []byte) {
	if mark {
		out = order.AppendUint16(out, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}
