package lead

import "strings"

// isoCountries holds the alpha-2 codes of ISO 3166-1, two letters each.
const isoCountries = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ" +
	"CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGY" +
	"HKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ" +
	"NANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZ" +
	"TCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW"

// countryNames gives the spellings seen on leads, as Fold leaves them.
var countryNames = map[string]string{
	"usa": "US", "unitedstates": "US", "unitedstatesofamerica": "US", "america": "US", "vereinigtestaaten": "US", "etatsunis": "US", "estadosunidos": "US", "eeuu": "US", "840": "US",
	"can": "CA", "canada": "CA", "kanada": "CA", "124": "CA",
	"uk": "GB", "gbr": "GB", "unitedkingdom": "GB", "greatbritain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northernireland": "GB", "grossbritannien": "GB", "royaumeuni": "GB", "reinounido": "GB",
	"deu": "DE", "ger": "DE", "germany": "DE", "deutschland": "DE", "allemagne": "DE", "alemania": "DE", "brd": "DE",
	"aut": "AT", "austria": "AT", "osterreich": "AT", "oesterreich": "AT", "autriche": "AT",
	"che": "CH", "switzerland": "CH", "schweiz": "CH", "suisse": "CH", "svizzera": "CH", "suiza": "CH",
	"fra": "FR", "france": "FR", "frankreich": "FR", "francia": "FR",
	"esp": "ES", "spain": "ES", "espana": "ES", "spanien": "ES", "espagne": "ES",
	"ita": "IT", "italy": "IT", "italia": "IT", "italien": "IT", "italie": "IT",
	"prt": "PT", "portugal": "PT", "nld": "NL", "netherlands": "NL", "thenetherlands": "NL", "holland": "NL", "nederland": "NL", "niederlande": "NL", "paysbas": "NL",
	"bel": "BE", "belgium": "BE", "belgie": "BE", "belgique": "BE", "belgien": "BE",
	"lux": "LU", "luxembourg": "LU", "luxemburg": "LU", "irl": "IE", "ireland": "IE", "irland": "IE", "eire": "IE",
	"dnk": "DK", "denmark": "DK", "danmark": "DK", "danemark": "DK", "swe": "SE", "sweden": "SE", "sverige": "SE", "schweden": "SE", "nor": "NO", "norway": "NO", "norge": "NO", "norwegen": "NO",
	"fin": "FI", "finland": "FI", "suomi": "FI", "finnland": "FI", "isl": "IS", "iceland": "IS",
	"pol": "PL", "poland": "PL", "polska": "PL", "polen": "PL", "cze": "CZ", "czechrepublic": "CZ", "czechia": "CZ", "tschechien": "CZ", "svk": "SK", "slovakia": "SK", "hun": "HU", "hungary": "HU", "ungarn": "HU",
	"rou": "RO", "romania": "RO", "bgr": "BG", "bulgaria": "BG", "hrv": "HR", "croatia": "HR", "svn": "SI", "slovenia": "SI", "grc": "GR", "greece": "GR", "griechenland": "GR", "tur": "TR", "turkey": "TR", "turkiye": "TR", "turkei": "TR",
	"mex": "MX", "mexico": "MX", "mexiko": "MX", "mexique": "MX", "bra": "BR", "brazil": "BR", "brasil": "BR", "arg": "AR", "argentina": "AR", "chl": "CL", "chile": "CL", "col": "CO", "colombia": "CO", "puertorico": "PR",
	"aus": "AU", "australia": "AU", "australien": "AU", "nzl": "NZ", "newzealand": "NZ", "jpn": "JP", "japan": "JP", "kor": "KR", "southkorea": "KR", "korea": "KR", "chn": "CN", "china": "CN", "ind": "IN", "india": "IN",
	"are": "AE", "uae": "AE", "unitedarabemirates": "AE", "sau": "SA", "saudiarabia": "SA", "isr": "IL", "israel": "IL", "zaf": "ZA", "southafrica": "ZA", "egy": "EG", "egypt": "EG", "الامارات": "AE", "السعودية": "SA", "भारत": "IN",
}

// CountryCode reads a country as ISO 3166-1 alpha-2, from its code or a usual name in English or
// the country's own and its neighbours' languages. "UK" is GB.
func CountryCode(raw string) (code string, ok bool) {
	s := strings.TrimSpace(raw)
	if len(s) == 2 {
		up := strings.ToUpper(s)
		for i := 0; i < len(isoCountries); i += 2 {
			if isoCountries[i:i+2] == up {
				return up, true
			}
		}
	}
	code, ok = countryNames[Fold(s)]
	return code, ok
}

var usRegions = map[string]string{
	"alabama": "AL", "alaska": "AK", "arizona": "AZ", "arkansas": "AR", "california": "CA", "calif": "CA", "colorado": "CO", "connecticut": "CT", "delaware": "DE",
	"districtofcolumbia": "DC", "washingtondc": "DC", "florida": "FL", "fla": "FL", "georgia": "GA", "hawaii": "HI", "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA", "kansas": "KS",
	"kentucky": "KY", "louisiana": "LA", "maine": "ME", "maryland": "MD", "massachusetts": "MA", "mass": "MA", "michigan": "MI", "mich": "MI", "minnesota": "MN", "mississippi": "MS", "missouri": "MO",
	"montana": "MT", "nebraska": "NE", "nevada": "NV", "newhampshire": "NH", "newjersey": "NJ", "newmexico": "NM", "newyork": "NY", "northcarolina": "NC", "northdakota": "ND", "ohio": "OH",
	"oklahoma": "OK", "oregon": "OR", "pennsylvania": "PA", "penna": "PA", "rhodeisland": "RI", "southcarolina": "SC", "southdakota": "SD", "tennessee": "TN", "tenn": "TN", "texas": "TX", "tex": "TX", "utah": "UT",
	"vermont": "VT", "virginia": "VA", "washington": "WA", "wash": "WA", "washingtonstate": "WA", "westvirginia": "WV", "wisconsin": "WI", "wyoming": "WY",
	"puertorico": "PR", "guam": "GU", "virginislands": "VI", "usvirginislands": "VI", "americansamoa": "AS", "northernmarianaislands": "MP",
	"armedforcesamericas": "AA", "armedforceseurope": "AE", "armedforcespacific": "AP",
}

var caRegions = map[string]string{
	"alberta": "AB", "alta": "AB", "britishcolumbia": "BC", "colombiebritannique": "BC", "manitoba": "MB", "newbrunswick": "NB", "nouveaubrunswick": "NB",
	"newfoundland": "NL", "newfoundlandandlabrador": "NL", "newfoundlandlabrador": "NL", "terreneuveetlabrador": "NL", "labrador": "NL", "novascotia": "NS", "nouvelleecosse": "NS",
	"northwestterritories": "NT", "territoiresdunordouest": "NT", "nunavut": "NU", "ontario": "ON", "ont": "ON", "princeedwardisland": "PE", "pei": "PE", "ileduprinceedouard": "PE",
	"quebec": "QC", "que": "QC", "pq": "QC", "saskatchewan": "SK", "sask": "SK", "yukon": "YT", "yukonterritory": "YT",
}

// RegionCode reads a state or province of the US or Canada as its ISO 3166-2 part ("MI", "QC"),
// also from "US-MI" and from full names in English and French. For other countries it returns
// the value trimmed with ok true: their regions are not checked.
func RegionCode(raw, country string) (code string, ok bool) {
	s := Squeeze(raw)
	var table map[string]string
	switch country {
	case "US":
		table = usRegions
	case "CA":
		table = caRegions
	default:
		return s, true
	}
	f := Fold(s)
	if code, ok = table[f]; ok {
		return code, true
	}
	if len(f) == 4 {
		f = strings.TrimPrefix(f, strings.ToLower(country))
	}
	if len(f) == 2 {
		up := strings.ToUpper(f)
		for _, v := range table {
			if v == up {
				return up, true
			}
		}
	}
	return s, false
}
