package form

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/leadmesh/leadmesh/core/lead"
)

// tick is what an answer says to a yes-or-no question.
type tick uint8

const (
	unclear tick = iota
	yes
	unticked // nothing was ticked, which is neither consent nor refusal
	no
)

// stateOf reads an answer to a yes-or-no question.
func stateOf(value string) tick {
	switch lead.Fold(value) {
	case "1", "true", "yes", "y", "on", "x", "checked", "ticked", "ok", "agree", "agreed", "iagree", "iaccept", "iconsent", "accept", "accepted", "consent",
		"granted", "optin", "optedin", "subscribe", "subscribed", "ja", "oui", "si", "sim", "tak", "kylla", "ano", "igen", "da", "evet", "да", "так", "ναι",
		"نعم", "موافق", "أوافق", "हाँ", "हां", "जीहाँ", "بله", "כן", "是", "同意", "はい", "同意する", "예", "네", "có", "ใช่", "ya":
		return yes
	case "", "0", "false", "off", "unchecked", "null", "undefined", "none", "notgiven":
		return unticked
	case "no", "n", "declined", "denied", "refused", "optout", "optedout", "unsubscribe", "unsubscribed", "idonotagree", "nein", "non", "nao", "nee", "nie",
		"nej", "nei", "ei", "ne", "nem", "nu", "hayir", "нет", "ні", "όχι", "لا", "غيرموافق", "नहीं", "नही", "خیر", "לא", "否", "不同意", "いいえ", "아니요", "아니오",
		"không", "ไม่", "tidak":
		return no
	}
	return unclear
}

// fits reports whether a value can be what a field holds. It guards fields that were recognised by
// a part of a question.
func fits(f Field, value string) bool {
	if stateOf(value) != unclear && f != Email && !isPhone(f) {
		return false
	}
	digits := 0
	for _, c := range value {
		if unicode.IsDigit(c) {
			digits++
		}
	}
	const longValue = 80
	switch f {
	case Email:
		return lead.ParseEmail(value).Valid
	case Phone, MobilePhone, WorkPhone, HomePhone:
		return digits >= 6 && len(value) <= longValue
	case VehicleYear, OwnedYear, TradeYear:
		return yearOf(value) != 0
	case PostalCode, OwnedOdometer, TradeOdometer, VehiclePrice, DownPayment, MonthlyPayment, Born:
		return digits > 0 && len(value) <= longValue
	case VehicleVIN, OwnedVIN, TradeVIN:
		return len(value) >= 11 && len(value) <= 20 && digits > 0
	}
	return len(value) <= 2*longValue
}

func isPhone(f Field) bool {
	switch f {
	case Phone, MobilePhone, WorkPhone, HomePhone:
		return true
	}
	return false
}

// yearOf reads a year of four digits; 0 if the value is none.
func yearOf(value string) int {
	value = strings.TrimSpace(value)
	if len(value) != 4 {
		return 0
	}
	year := 0
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return 0
		}
		year = year*10 + int(value[i]-'0')
	}
	return year
}

// contactsIn finds the e-mail addresses and international phone numbers written inside a text.
func contactsIn(text string) (mails, phones []string) {
	const most = 5
	mail := regexp.MustCompile(`[\p{L}\p{N}._%+\-']+@[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)+`)
	phone := regexp.MustCompile(`(?:\+|\b00)\d[\d\s().\-/]{6,18}\d|\(?\b\d{3}\)?[\s.\-]\d{3}[\s.\-]\d{4}\b`)
	for _, m := range mail.FindAllString(text, most) {
		if e := lead.ParseEmail(m); e.Valid {
			mails = append(mails, e.Address)
		}
	}
	return mails, phone.FindAllString(text, most)
}

// splitVehicle parts "2025 Make Model" into the year and the rest.
func splitVehicle(text string) (year int, rest string) {
	first, after, _ := strings.Cut(strings.TrimSpace(text), " ")
	if y := yearOf(first); y != 0 && after != "" {
		return y, strings.TrimSpace(after)
	}
	return 0, strings.TrimSpace(text)
}
