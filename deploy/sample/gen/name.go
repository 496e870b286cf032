package main

import "math/rand/v2"

var (
	wordHeads  = []string{"Tarn", "Bex", "Quil", "Hald", "Marr", "Osk", "Vess", "Dran", "Fenn", "Garr", "Ister", "Jorv", "Kell", "Lorn", "Moss", "Narr", "Pell", "Rusk", "Strand", "Thorn", "Ulv", "Wex", "Yarr", "Zell", "Corv", "Brann", "Eld", "Sund"}
	wordTails  = []string{"holm", "wick", "dal", "mark", "gate", "more", "stead", "quist", "bury", "lund", "croft", "haven", "vale", "rud", "berg", "neth"}
	givenNames = []string{
		"Emily", "Hannah", "Sarah", "Maria", "Jessica", "Olivia", "Grace", "Victoria", "Nicole", "Rachel", "Angela", "Denise", "Priya", "Mei", "Aisha", "Lucia", "Fatima", "Ingrid", "Naomi", "Yolanda", "Carmen", "Tessa", "Ruth", "Paula", "Keisha", "Dana", "Robin", "Jordan",
		"Michael", "Jacob", "Daniel", "Anthony", "Andrew", "Jose", "Luis", "Carlos", "Kevin", "Brian", "Marcus", "Tyrone", "Ahmed", "Wei", "Raj", "Minh", "Dmitri", "Owen", "Peter", "Samuel", "Victor", "Walter", "Gary", "Howard", "Terrence", "Neil", "Ivan", "Caleb",
	}
	surnames = []string{
		"Abernathy", "Aguirre", "Bauer", "Bianchi", "Blackwood", "Boateng", "Brandt", "Cabrera", "Calloway", "Castellanos", "Chaudhry", "Cho", "Coleman", "Delgado", "Dubois", "Eriksen", "Escobar", "Farrow", "Fitzgerald", "Fontaine", "Gallagher", "Goldberg", "Haddad", "Hollis", "Huang", "Iyer", "Jimenez", "Kaplan", "Kowalski", "Lindqvist", "Lozano", "Mackey", "Maldonado", "McAllister", "Mercer", "Nakamura", "Nguyen", "Novak", "Okafor", "Ortega", "Pace", "Patel", "Pruitt", "Quintero", "Ramsey", "Rosario", "Salazar", "Schroeder", "Sorensen", "Tanaka", "Thibodeaux", "Tran", "Underhill", "Vance", "Villanueva", "Whitaker", "Wozniak", "Yates", "Zamora", "Zielinski",
	}
	streets = []string{"Commerce Way", "Auto Park Drive", "Mill Creek Road", "Harbor Street", "Old Station Road", "Prairie Avenue", "Turnpike Road", "Foundry Lane", "Market Street", "Airport Boulevard", "Quarry Road", "Lakeside Drive", "County Line Road", "Canal Street"}
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// familyName invents a family name for a store or a group.
func familyName(r *rand.Rand) string { return pick(r, wordHeads) + pick(r, wordTails) }

func personName(r *rand.Rand) string { return pick(r, givenNames) + " " + pick(r, surnames) }

// storeName invents the name of a store. The made-up brand in it keeps it from meeting the name
// of a real one.
func storeName(r *rand.Rand, s site, brands []string) string {
	word := map[string]string{norrvind: "Norrvind", solvane: "Solvane"}
	label := word[brands[0]]
	if len(brands) > 1 {
		label = "Norrvind & Solvane"
	}
	family := familyName(r)
	switch r.IntN(6) {
	case 0:
		return label + " of " + s.name
	case 1:
		return s.name + " " + label
	case 2:
		return family + " " + label + " " + s.name
	case 3:
		return family + " & " + familyName(r) + " " + label
	case 4:
		return family + " " + label
	}
	return family + " Brothers " + label + " of " + s.name
}
