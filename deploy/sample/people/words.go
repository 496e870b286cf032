package people

import "strings"

var (
	headsUS = strings.Fields(`Abr Ald Bar Beck Berg Brad Bren Cald Carl Chad Clem Cort Dal Dev Don Eck Eld Fair Far Fitz Gal Gar Gold Gra
		Hal Har Hol Jan Kad Kar Kel Kir Lam Lan Leb Lin Lor Mac Mar Mel Mon Nor Ol Or Pal Pen Pet Quin Ram Ras Ros Sal Sand Sch Sel
		Shel Sko Stan Sten Sul Szy Tal Tor Tre Val Van Vil Wal War Wes Whit Wil Woj Yar Zab Zel`)
	tailsUS = strings.Fields(`baum berg bert burn bury chuk croft dal dez doza field ford gast gate guez ham hart hoff holm house iak
		inski kamp ker koff kowski land lein ley linger lock low man mann mark meier more nett novic ova owitz quist rado rell rich
		sey shaw sier smith son stein stad stone strom sworth tano tello thal ton tra vak vant vich ville wald ward well wick witz wood worth zak zzi`)
	streetsUS = strings.Fields(`Oak Maple Cedar Pine Elm Washington Lake Hill Walnut Spring North Ridge Lincoln Church Willow Mill
		Sunset Railroad Jackson Cherry West South Highland Center Forest Park River Meadow East Chestnut Jefferson Dogwood Franklin
		Hickory Wilson Laurel Woodland Valley Locust Madison Spruce Prairie College Poplar Birch Green Magnolia Harrison Sycamore
		Adams Monroe Holly Fairway Garden Quail Heritage Aspen Canyon Juniper Orchard Stone Cottonwood Pleasant Rose Summit Vista
		Colonial Lakeview Country Wildwood Eagle Canterbury Mulberry Bayview Hawthorne Kensington Windsor Saddle Heron Magnolia`)
	typesUS = strings.Fields("Street Street Street Avenue Avenue Drive Drive Drive Road Road Lane Lane Court Court Circle Place Boulevard Way Trail Terrace")

	menDE = `Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Stefan Christian Uwe Werner Horst Frank Dieter Manfred Gerhard Hans
		Bernd Torsten Matthias Helmut Walter Heinz Martin Jörg Rolf Jens Sven Alexander Jan Rainer Holger Karl Dirk Joachim Ralf Carsten
		Herbert Oliver Wilhelm Kurt Markus Heinrich Paul Hermann Rudolf Mehmet Mustafa Lukas Leon Finn Jonas Maximilian Tim Felix`
	womenDE = `Ursula Karin Helga Sabine Ingrid Renate Monika Susanne Gisela Petra Birgit Andrea Anna Brigitte Claudia Erika Christa
		Elke Stefanie Gertrud Elisabeth Maria Angelika Heike Gabriele Kathrin Ilse Nicole Anja Barbara Hildegard Martina Ingeborg Gerda
		Marion Jutta Ute Hannelore Irmgard Christine Inge Christina Silke Katharina Sandra Fatma Ayşe Laura Lena Lea Hannah Mia Julia`
	familyDE = `Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf
		Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann Schmid
		Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel
		Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter
		Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte Dietrich
		Yılmaz Kaya Nguyen Kowalski Nowak`
	headsDE   = strings.Fields("Alt Bach Birk Brand Buch Burg Dorn Eich Erl Feld Grün Hag Heid Hirsch Holz Kalt Kirch Kron Land Lieb Mark Neu Ober Reh Rot Sand Schön Stein Tann Unter Wald Weid Wind Zell")
	tailsDE   = strings.Fields("au bach bauer beck berg born brecht dorf feld furt hain haus heim hofer hold inger kamp ke mann meier müller ner rich sen stedt stein thal wald weg wig")
	streetsDE = strings.Fields("Haupt Schul Garten Dorf Bahnhof Wiesen Berg Birken Linden Kirch Wald Ring Schiller Goethe Mozart Rosen Mühlen Feld Industrie Eichen Burg Buchen Tannen Amsel Lerchen Bach Blumen Friedhof Sonnen Ahorn")
	typesDE   = strings.Fields("straße straße straße weg weg allee platz gasse")
	shortDE   = map[string][]string{
		"Alexander": {"Alex", "Sascha"}, "Maximilian": {"Max"}, "Stefanie": {"Steffi"}, "Katharina": {"Kathi", "Katja"}, "Christina": {"Tina"},
		"Johannes": {"Hannes"}, "Wolfgang": {"Wolf"}, "Matthias": {"Matze"}, "Gabriele": {"Gabi"}, "Susanne": {"Susi"}, "Elisabeth": {"Lisa"},
		"Andreas": {"Andi"}, "Michael": {"Micha"}, "Thomas": {"Tom"}, "Barbara": {"Bärbel"}, "Christian": {"Chris"}, "Brigitte": {"Gitte"},
	}

	// domains are those of the mail services, most used first.
	domains = strings.Fields("gmail.example yahoo.example icloud.example outlook.example aol.example hotmail.example comcast.example gmx.example web.example")
)
