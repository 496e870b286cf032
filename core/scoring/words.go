package scoring

import (
	"math"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// permille returns a against b in 1/1000, rounded down; ok is false when they can not be compared.
func permille(a, b lead.Money) (int64, bool) {
	if a.Currency == "" || a.Currency != b.Currency || b.Minor <= 0 || a.Minor > math.MaxInt64/1000 || a.Minor < math.MinInt64/1000 {
		return 0, false
	}
	return floorDiv(a.Minor*1000, b.Minor), true
}

// minorUnits is how many minor units make one unit of a currency (ISO 4217).
func minorUnits(currency string) int64 {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		return 1
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 1000
	}
	return 100
}

// odometerKM returns the reading of a lead's vehicle in whole kilometres, rounded half up.
func odometerKM(v *lead.Vehicle) (int32, bool) {
	if v.Odometer < 0 || v.Odometer > 10_000_000 {
		return 0, false
	}
	switch v.OdometerUnit {
	case lead.OdometerUnitKM:
		return int32(v.Odometer), true
	case lead.OdometerUnitMI:
		return int32((v.Odometer*1609344 + 500000) / 1000000), true
	}
	return 0, false
}

func floorDays(seconds int64) int64 { return floorDiv(seconds, 86400) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// sourceChannel returns the value of FeatureSourceChannel for a sender's word, 0 when there is none.
func sourceChannel(word string) uint8 {
	word = strings.TrimSpace(word)
	if word == "" {
		return 0
	}
	for i, name := range sourceChannels {
		if strings.EqualFold(word, name) {
			return uint8(i + 1)
		}
	}
	for _, a := range channelAliases {
		if strings.EqualFold(word, a.word) {
			return a.value
		}
	}
	return uint8(len(sourceChannels)) // OTHER
}

var channelAliases = [...]struct {
	word  string
	value uint8
}{
	{"website", 1}, {"internet", 1}, {"online", 1}, {"web form", 1}, {"mobile app", 2}, {"connected car", 2},
	{"call", 3}, {"telephone", 3}, {"phone up", 3}, {"e-mail", 4}, {"mail order", 12}, {"messenger", 5},
	{"live chat", 5}, {"walk-in", 6}, {"walk in", 6}, {"dealership", 6}, {"service", 7}, {"service drive", 7},
	{"service lane", 7}, {"lane", 7}, {"trade show", 8}, {"social media", 9}, {"paid search", 10}, {"sem", 10},
	{"third party", 11}, {"classifieds", 11}, {"direct mail", 12}, {"post", 12},
}

// financeMethod returns the value of FeatureFinanceMethod for a sender's word, 0 when there is none.
func financeMethod(word string) uint8 {
	word = strings.TrimSpace(word)
	if word == "" {
		return 0
	}
	for i, name := range financeMethods {
		if strings.EqualFold(word, name) {
			return uint8(i + 1)
		}
	}
	return uint8(len(financeMethods))
}
