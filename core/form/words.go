package form

// entry says which words ask for a field. Words are parted by "|" and compared folded, so spaces,
// marks, case and underscores do not count.
type entry struct {
	field Field
	words string
}

// vocabulary is what common questions are called, in the languages of the larger markets and in the
// identifiers of forms, advertising platforms and form builders.
func vocabulary() []entry {
	return append(append(personWords(), leadWords()...), sourceWords()...)
}

func personWords() []entry {
	return []entry{
		{Name, `name|full name|fullname|your name|contact name|customer name|client name|first and last name|first name and last name|
			nombre completo|nombre y apellidos|nombre y apellido|nombre|nom complet|nom et prenom|prenom et nom|vollständiger name|vor- und nachname|
			vorname und nachname|vor und zuname|nome completo|nome e cognome|nome e sobrenome|nome|volledige naam|naam|voor- en achternaam|
			imię i nazwisko|fullt namn|namn|för- och efternamn|fulde navn|navn|fullt navn|koko nimi|nimi|celé jméno|jméno a příjmení|jméno|
			meno a priezvisko|teljes név|név|nume complet|nume si prenume|nume|ad soyad|adınız soyadınız|isim soyisim|isim|имя|фио|полное имя|
			имя и фамилия|ваше имя|ім'я|піб|прізвище та ім'я|όνομα|ονοματεπώνυμο|الاسم|الإسم|الأسم|اسم|الاسم الكامل|الإسم الكامل|الاسم بالكامل|
			नाम|पूरा नाम|आपका नाम|નામ|নাম|पूर्ण नाव|नाव|பெயர்|பேரு|పేరు|ಹೆಸರು|പേര്|ਨਾਮ|نام|نام و نام خانوادگی|نام کامل|שם|שם מלא|
			姓名|名字|全名|您的姓名|お名前|氏名|名前|이름|성함|성명|họ và tên|họ tên|tên|ชื่อ|ชื่อ-นามสกุล|ชื่อ นามสกุล|nama|nama lengkap|jina`},
		{Prefix, `prefix|salutation|title|anrede|civilité|tratamiento|titolo|aanhef|titel|name prefix`},
		{GivenName, `first name|firstname|given name|forename|fname|first|vorname|prénom|prenom|primer nombre|nombres|nome proprio|primeiro nome|voornaam|imię|
			förnamn|fornavn|etunimi|křestní jméno|keresztnév|utónév|prenume|ad|adı|adınız|όνομα σας|الاسم الأول|الإسم الأول|पहला नाम|प्रथम नाम|名|
			名（名）|이름(명)|tên riêng|ชื่อจริง|nama depan|שם פרטי`},
		{MiddleName, `middle name|middlename|second name|zweiter vorname|deuxième prénom|segundo nombre|отчество|по батькові`},
		{FamilyName, `last name|lastname|surname|family name|lname|last|nachname|familienname|zuname|nom|nom de famille|apellido|apellidos|primer apellido|cognome|
			sobrenome|apelido|achternaam|nazwisko|efternamn|efternavn|etternavn|sukunimi|příjmení|priezvisko|vezetéknév|családnév|soyad|soyadı|soyadınız|
			soyisim|фамилия|прізвище|επώνυμο|επίθετο|اسم العائلة|الاسم الأخير|اللقب|العائلة|उपनाम|अंतिम नाम|कुलनाम|姓|姓氏|苗字|성|họ|นามสกุล|nama belakang|שם משפחה`},
		{Suffix, `suffix|name suffix`},
		{Company, `company|company name|organisation|organization|organization name|business name|business|employer|firma|firmenname|unternehmen|société|entreprise|raison sociale|
			empresa|compañía|nombre de la empresa|azienda|ragione sociale|bedrijf|bedrijfsnaam|företag|virksomhed|bedrift|yritys|společnost|cég|firmă|şirket|компания|
			организация|компанія|εταιρεία|الشركة|شركة|اسم الشركة|कंपनी|公司|公司名称|会社名|회사|công ty|บริษัท|perusahaan|חברה`},
		{Email, `email|e-mail|mail|email address|e-mail address|mail address|work email|business email|personal email|email id|emailaddress|correo|correo electrónico|
			dirección de correo|dirección de correo electrónico|courriel|adresse email|adresse e-mail|adresse mail|adresse électronique|adresse courriel|e-mail-adresse|
			emailadresse|mailadresse|e-mailadres|indirizzo email|indirizzo e-mail|posta elettronica|endereço de email|endereço de e-mail|adres e-mail|adres email|e-post|
			epost|e-postadress|e-postadresse|sähköposti|sähköpostiosoite|emailová adresa|e-mail cím|email cím|adresă de email|e-posta|eposta|e-posta adresi|
			электронная почта|почта|эл. почта|адрес электронной почты|имейл|емейл|електронна пошта|пошта|ηλεκτρονική διεύθυνση|ηλεκτρονικό ταχυδρομείο|البريد الإلكتروني|
			البريد الالكتروني|البريد|بريد إلكتروني|بريد الكتروني|الإيميل|الايميل|ايميل|ईमेल|ई-मेल|ईमेल पता|ईमेल आईडी|ইমেইল|இமெயில்|మెయిల్|ایمیل|پست الکترونیک|
			אימייל|דואר אלקטרוני|דוא"ל|电子邮件|电子邮箱|邮箱|邮件|電子郵件|電郵|メール|メールアドレス|eメール|이메일|메일|이메일 주소|địa chỉ email|thư điện tử|อีเมล|อีเมล์|surel|alamat email|barua pepe`},
		{Phone, `phone|phone number|telephone|telephone number|tel|tel number|contact number|contact phone|number to call|phonenumber|teléfono|número de teléfono|
			numero de telefono|telefono|número telefónico|téléphone|telephone|numéro de téléphone|numéro|numero|n° de téléphone|telefon|telefonnummer|rufnummer|telefono|
			numero di telefono|recapito telefonico|recapito|telefone|número de telefone|telefoon|telefoonnummer|numer telefonu|numer|telefonnummer|puhelin|puhelinnumero|
			telefonní číslo|telefonszám|număr de telefon|telefon numarası|телефон|номер телефона|номер|номер телефону|τηλέφωνο|αριθμός τηλεφώνου|الهاتف|هاتف|رقم الهاتف|
			رقم التليفون|التليفون|تلفون|फोन|फ़ोन|फोन नंबर|फ़ोन नंबर|दूरभाष|संपर्क नंबर|संपर्क|ফোন|ফোন নম্বর|தொலைபேசி|ఫోన్|تلفن|شماره تلفن|فون|טלפון|מספר טלפון|
			电话|电话号码|联系电话|電話|電話番号|전화|전화번호|연락처|điện thoại|số điện thoại|sđt|เบอร์โทร|เบอร์โทรศัพท์|โทรศัพท์|telepon|nomor telepon|simu`},
		{MobilePhone, `mobile|mobile phone|mobile number|mobile phone number|cell|cell phone|cellphone|cell number|whatsapp|whatsapp number|handy|handynummer|mobilnummer|mobil|
			mobiltelefon|natel|portable|téléphone portable|numéro de portable|mobile phone no|móvil|celular|teléfono móvil|número de celular|cellulare|telefono cellulare|
			telemóvel|gsm|mobiel|mobiel nummer|telefon komórkowy|komórka|matkapuhelin|mobilní telefon|telefon mobil|cep telefonu|мобильный|мобильный телефон|сотовый|
			мобільний|κινητό|κινητό τηλέφωνο|الجوال|رقم الجوال|جوال|الموبايل|رقم الموبايل|موبايل|النقال|واتساب|رقم الواتساب|मोबाइल|मोबाइल नंबर|मोबाईल|মোবাইল|கைபேசி|
			మొబైల్|موبایل|نייד|טלפון נייד|手机|手机号|手机号码|手機|携帯|携帯電話|携帯電話番号|휴대폰|휴대전화|핸드폰|di động|มือถือ|เบอร์มือถือ|hp|no hp|nomor hp|phone mobile`},
		{WorkPhone, `work phone|business phone|office phone|work phone number|daytime phone|geschäftlich|telefon geschäftlich|téléphone professionnel|teléfono del trabajo|phone work`},
		{HomePhone, `home phone|home telephone|landline|evening phone|festnetz|téléphone fixe|fixe|teléfono fijo|telefone fixo|telefono fisso|phone home`},
		{Fax, `fax`},
		{Street, `street|street address|address|address line 1|address1|address line|mailing address|home address|straße|strasse|straße und hausnummer|anschrift|adresse|rue|
			dirección|calle|domicilio|indirizzo|via|endereço|rua|morada|adres|straat|ulica|gatuadress|katuosoite|ulice|cím|adresă|sokak|адрес|улица|адреса|
			διεύθυνση|العنوان|عنوان|पता|ঠিকানা|முகவரி|చిరునామా|آدرس|כתובת|地址|住所|주소|địa chỉ|ที่อยู่|alamat`},
		{Unit, `unit|apartment|apt|suite|address line 2|address2|piso|wohnung|appartement`},
		{City, `city|town|locality|city town|ville|commune|ort|stadt|wohnort|ciudad|localidad|municipio|città|comune|cidade|localidade|stad|woonplaats|plaats|miasto|
			miejscowość|by|poststed|kaupunki|paikkakunta|město|obec|város|oraș|localitate|şehir|город|населенный пункт|місто|πόλη|المدينة|مدينة|शहर|नगर|শহর|நகரம்|
			నగరం|شهر|עיר|城市|市|市区町村|都市|도시|시|thành phố|เมือง|kota|jiji`},
		{Region, `state|province|region|county|state province|bundesland|kanton|département|région|estado|provincia|comunidad autónoma|regione|distrito|provincie|
			województwo|län|fylke|maakunta|kraj|megye|județ|ilçe|область|регион|νομός|المنطقة|المحافظة|الولاية|राज्य|প্রদেশ|மாநிலம்|استان|省|省份|都道府県|도|tỉnh|จังหวัด|provinsi`},
		{PostalCode, `zip|zip code|zipcode|postal code|postalcode|post code|postcode|zip postal code|zip or postal code|pin code|pincode|plz|postleitzahl|code postal|cp|
			código postal|codigo postal|cap|codice postale|cep|código de endereçamento postal|kod pocztowy|postnummer|postinumero|psč|irányítószám|cod poștal|posta kodu|
			индекс|почтовый индекс|поштовий індекс|ταχυδρομικός κώδικας|الرمز البريدي|पिन कोड|पिनकोड|डाक कोड|کد پستی|מיקוד|邮编|邮政编码|郵便番号|우편번호|mã bưu điện|รหัสไปรษณีย์|kode pos`},
		{Country, `country|country code|nation|land|pays|país|pais|paese|nazione|kraj zamieszkania|maa|země|ország|țară|ülke|страна|країна|χώρα|البلد|الدولة|देश|দেশ|நாடு|کشور|מדינה|国家|国|국가|quốc gia|ประเทศ|negara|nchi`},
		{Born, `date of birth|birthday|birth date|birthdate|dob|geburtsdatum|date de naissance|fecha de nacimiento|data di nascita|data de nascimento|geboortedatum|data urodzenia|
			дата рождения|تاريخ الميلاد|जन्म तिथि|出生日期|生年月日|생년월일|ngày sinh|วันเกิด|tanggal lahir|doğum tarihi`},
		{Language, `language|preferred language|locale|lang|sprache|langue|idioma|lingua|taal|język|språk|sprog|kieli|dil|язык|اللغة|भाषा|语言|言語|언어|ภาษา|bahasa`},
		{BestTime, `best time|best time to call|best time to contact|preferred time|contact time|when to call|when should we call|wann erreichbar|erreichbarkeit|
			meilleur moment|horario de contacto|mejor horario|quando chiamare|melhor horário|حین الاتصال|وقت الاتصال`},
		{PreferredChannel, `preferred contact|preferred contact method|contact preference|preferred channel|contact method|how should we contact you|bevorzugter kontakt|kontaktart|
			kontaktweg|moyen de contact|forma de contacto|método de contacto preferido|canal de contacto|طريقة التواصل`},
		{Known, `job title|jobtitle|job role|role|position|seniority|company size|annual sales|industry|gender|marital status|relationship status|military status|age|
			linkedin profile|linkedin url|berufsbezeichnung|poste|cargo|puesto`},
	}
}

func leadWords() []entry {
	return []entry{
		{Comments, `comments|comment|message|message text|messagetext|msg|notes|note|remarks|remark|description|details|additional information|additional comments|question|questions|
			your question|inquiry|enquiry|how can we help|how can we help you|what can we do for you|feedback|text|body|nachricht|ihre nachricht|bemerkung|bemerkungen|anmerkung|
			anmerkungen|kommentar|mitteilung|anliegen|commentaire|commentaires|remarques|demande|votre demande|comentario|comentarios|mensaje|observaciones|consulta|notas|
			messaggio|commento|commenti|richiesta|mensagem|comentário|comentários|observações|bericht|opmerking|opmerkingen|vraag|wiadomość|uwagi|komentarz|meddelande|
			besked|melding|viesti|zpráva|poznámka|üzenet|megjegyzés|mesaj|mesajınız|not|açıklama|сообщение|комментарий|примечание|вопрос|повідомлення|коментар|μήνυμα|
			σχόλια|الرسالة|رسالة|رسالتك|ملاحظات|ملاحظة|التعليق|تعليقات|التفاصيل|الوصف|संदेश|विवरण|टिप्पणी|टिप्पणियाँ|नोट|বার্তা|செய்தி|సందేశం|پیام|توضیحات|הודעה|הערות|
			留言|备注|消息|備註|メッセージ|お問い合わせ内容|備考|ご質問|메시지|문의|문의사항|비고|tin nhắn|ghi chú|nội dung|ข้อความ|หมายเหตุ|pesan|catatan|ujumbe`},
		{RequestType, `request type|request|type of request|inquiry type|enquiry type|interest|i am interested in|reason|reason for contact|subject|topic|lead type|service required|
			anfrageart|betreff|art der anfrage|type de demande|objet|sujet|motivo|asunto|tipo de consulta|tipo di richiesta|oggetto|assunto|onderwerp|temat|ärende|тема|الموضوع|نوع الطلب|विषय`},
		{LineOf, `line|line of business`},
		{Brand, `brand|marke|marque|marca|merk|marka|марка|العلامة التجارية|ब्रांड|品牌|ブランド|브랜드`},
		{TimeFrame, `time frame|timeframe|purchase timeframe|purchase time|purchase timeline|vehicle purchase timeline|when do you plan to buy|when are you planning to buy|
			when do you want to buy|when are you looking to buy|buying timeframe|how soon|how soon are you looking|kaufzeitraum|wann möchten sie kaufen|wann planen sie den kauf|
			quand souhaitez vous acheter|délai d'achat|projet d'achat|cuándo planea comprar|cuándo piensa comprar|plazo de compra|quando pensi di acquistare|
			quando pretende comprar|когда планируете покупку|متى تخطط للشراء|موعد الشراء|कब खरीदना चाहते हैं|खरीदने का समय|购车时间|購入時期|구매 시기`},
		{Vehicle, `vehicle|car|vehicle name|car name|model name|vehicle title|vehicle of interest|car of interest|vehicle interest|vehicle interested in|desired vehicle|fahrzeug|wunschfahrzeug|auto|véhicule|voiture|véhicule souhaité|
			vehículo|coche|carro|veicolo|veículo|automóvel|voertuig|samochód|bil|auto model|ajoneuvo|vůz|jármű|vehicul|araç|araba|автомобиль|машина|авто|автомобіль|
			όχημα|αυτοκίνητο|السيارة|سيارة|المركبة|गाड़ी|वाहन|कार|গাড়ি|வாகனம்|వాహనం|خودرو|ماشین|רכב|车辆|汽车|車両|車|자동차|차량|xe|รถ|รถยนต์|mobil|kendaraan|gari`},
		{VehicleYear, `vehicle year|model year|year|car year|baujahr|modelljahr|année|année modèle|año|anno|ano|bouwjaar|rok produkcji|årsmodell|год выпуска|سنة الصنع|موديل السنة|年份|年式|연식|vehicle model year`},
		{VehicleMake, `vehicle make|make|car make|manufacturer|hersteller|fabricant|constructeur|fabricante|fabrikant|vehicle make string|vehicle brand|car brand`},
		{VehicleModel, `vehicle model|model|car model|model of interest|interested model|which model|which model are you interested in|which car are you interested in|desired model|
			preferred model|modell|fahrzeugmodell|wunschmodell|interesse an modell|für welches modell interessieren sie sich|modèle|modèle souhaité|quel modèle vous intéresse|
			modelo|modelo de interés|qué modelo te interesa|qué modelo le interesa|modello|modello di interesse|modelo de interesse|qual modelo|modelka|malli|модель|
			какая модель|модель автомобіля|μοντέλο|الموديل|موديل|الطراز|طراز السيارة|نوع السيارة|मॉडल|कार मॉडल|गाड़ी का मॉडल|মডেল|மாடல்|మోడల్|مدل|דגם|车型|型号|意向车型|
			モデル|車種|ご希望の車種|모델|차종|mẫu xe|dòng xe|รุ่น|รุ่นรถ|model mobil`},
		{VehicleModelCode, `model code|vehicle model code|modellcode|code modèle`},
		{VehicleTrim, `trim|vehicle trim|trim level|ausstattung|ausstattungslinie|finition|versión|allestimento|versão|uitvoering|комплектация|الفئة|配置`},
		{VehicleBody, `vehicle type|body style|body type|bodystyle|type of vehicle|karosserie|fahrzeugtyp|carrosserie|type de véhicule|carrocería|tipo de vehículo|tipo di veicolo|tipo de veículo|тип кузова|نوع المركبة|वाहन का प्रकार`},
		{VehicleVIN, `vin|vehicle vin|vehicle identification number|vin number|fahrgestellnummer|fin|numéro de châssis|número de chasis|telaio|chassisnummer|вин|رقم الهيكل|车架号|차대번호`},
		{VehicleStock, `stock|stock number|stock no|stocknumber|stock id|inventory id|vehicle id|vehicle stock`},
		{VehicleColor, `color|colour|vehicle color|exterior color|farbe|wunschfarbe|couleur|colore|cor|kleur|kolor|färg|väri|barva|renk|цвет|اللون|रंग|颜色|色|색상`},
		{VehicleStatus, `vehicle condition|new or used|new used|condition|vehicle status|neu oder gebraucht|neuwagen oder gebrauchtwagen|neuf ou occasion|nuevo o usado|nuovo o usato|novo ou usado|новый или с пробегом|جديدة أو مستعملة|حالة السيارة|नई या पुरानी`},
		{VehiclePowertrain, `powertrain|fuel|fuel type|engine type|drivetrain|antrieb|antriebsart|kraftstoff|carburant|motorisation|énergie|combustible|motorización|alimentazione|combustível|brandstof|тип двигателя|نوع الوقود|ईंधन`},
		{VehiclePrice, `price|vehicle price|budget|max price|maximum price|preis|prix|precio|presupuesto|prezzo|preço|prijs|цена|бюджет|السعر|الميزانية|बजट|कीमत|预算|価格|予算|예산`},
		{Owned, `current vehicle|current car|vehicle owned|owned vehicle|what do you drive|what car do you drive|which car do you drive now|aktuelles fahrzeug|derzeitiges fahrzeug|véhicule actuel|vehículo actual|coche actual|auto attuale|veicolo attuale|carro atual|текущий автомобиль|السيارة الحالية|वर्तमान गाड़ी`},
		{OwnedYear, `current vehicle year|owned year|owned vehicle year`}, {OwnedMake, `current vehicle make|owned make|owned vehicle make`},
		{OwnedModel, `current vehicle model|owned model|owned vehicle model`}, {OwnedVIN, `current vehicle vin|owned vin|owned vehicle vin`},
		{OwnedOdometer, `mileage|odometer|current mileage|kilometerstand|kilométrage|kilometraje|chilometraggio|quilometragem|пробег|owned odometer|current vehicle mileage`},
		{Trade, `trade|trade in|tradein|trade in vehicle|vehicle to trade|trade vehicle|part exchange|inzahlungnahme|inzahlungnahme fahrzeug|reprise|véhicule de reprise|vehículo a cuenta|permuta|usato da permutare|carro na troca|inruil|trade-in автомобиль`},
		{TradeYear, `trade year|trade in year|tradein year`}, {TradeMake, `trade make|trade in make|tradein make`}, {TradeModel, `trade model|trade in model|tradein model`},
		{TradeVIN, `trade vin|trade in vin|tradein vin`}, {TradeOdometer, `trade mileage|trade odometer|trade in mileage|trade in odometer|tradein mileage|tradein odometer`},
		{TradeCondition, `trade condition|trade in condition|tradein condition`},
		{FinanceMethod, `vehicle payment type|payment type|payment method|finance method|how do you want to pay|purchase type|finanzierungsart|zahlungsart|mode de financement|forma de pago|tipo di pagamento|forma de pagamento|способ оплаты|طريقة الدفع|भुगतान का प्रकार`},
		{DownPayment, `down payment|downpayment|deposit|anzahlung|apport|entrada|enganche|anticipo|первый взнос|الدفعة الأولى`},
		{MonthlyPayment, `monthly payment|monthly budget|monatsrate|monatliche rate|mensualité|cuota mensual|mensualidad|rata mensile|prestação mensal`},
		{DealerID, `dealer id|dealerid|store id|storeid|rooftop id`},
		{DealerCode, `dealer code|dealercode|dealer number|dealer no|dealership code|dealership id|händlernummer|code concession|código de concesionario|bac code`},
		{DealerName, `dealer|dealership|dealer name|dealership name|preferred dealer|preferred dealership|nearest dealer|select dealer|choose your dealer|store|showroom|händler|autohaus|wunschhändler|
			concession|concessionnaire|concesionario|concesionaria|agencia|concessionario|concessionária|concessionaria|dealer naam|salon|återförsäljare|forhandler|jälleenmyyjä|
			prodejce|márkakereskedő|bayi|дилер|дилерский центр|автосалон|салон|αντιπρόσωπος|الوكيل|المعرض|الفرع|معرض|डीलर|डीलरशिप|शोरूम|经销商|4s店|販売店|ディーラー|대리점|전시장|đại lý|โชว์รูม|ตัวแทนจำหน่าย`},
		{Known, `vehicle ownership|do you own a car|do you own a vehicle|test drive date|appointment date|preferred date|date|appointment time|time`},
	}
}

func sourceWords() []entry {
	return []entry{
		{SourceLeadID, `lead id|leadid|lead gen form response|leadgen id|leadgenid|id|lead gen id|submission id|submissionid|response id|responseid|response token|entry id|event id|external id|reference id|external lead id|form response id|form response|lead reference`},
		{SourceName, `source|lead source|lead source name|quelle|origine|fuente|origen|fonte|origem|bron|źródło|källa|kilde|lähde|zdroj|forrás|sursă|kaynak|источник|джерело|πηγή|المصدر|مصدر|स्रोत|সোর্স|ஆதாரம்|منبع|מקור|来源|來源|ソース|出所|출처|nguồn|ที่มา|แหล่งที่มา|sumber|chanzo|utm source`},
		{SourceChannel, `channel|lead channel`}, {SourceMedium, `medium|lead medium|utm medium`}, {SubSource, `sub source|subsource|site source|placement`},
		{SourceProvider, `provider|vendor|lead provider|partner name|partner`},
		{SourceForm, `form name|form id|lead gen form|versioned lead gen form urn|formid|form|form title|formname|gform id|typeform id`},
		{CampaignID, `campaign id|campaignid|utm id|utm campaign id`}, {CampaignName, `campaign|campaign name|campaignname|utm campaign|kampagne|campagne|campaña|campagna|campanha|кампания|الحملة`},
		{CampaignTerm, `utm term|keyword|search term`}, {CampaignText, `utm content|ad name|adname|creative name`}, {CampaignOffer, `offer|promo code|promotion|coupon|voucher|offer code`},
		{AdID, `ad id|adid|creative id|creativeid`}, {AdGroup, `adgroup|adgroup id|ad group|ad group id|adset id|ad set id|adset name|ad set name|adgroup name|ad group name|asset group id`},
		{ClickGoogle, `gclid|gcl id|google click id`}, {ClickGoogleApp, `gbraid`}, {ClickGoogleWeb, `wbraid`}, {ClickMeta, `fbclid|fbc|facebook click id`},
		{ClickLinkedIn, `li fat id|lifatid`}, {ClickMicrosoft, `msclkid`}, {ClickTikTok, `ttclid`},
		{Organic, `is organic|isorganic`}, {Platform, `platform|publisher platform`},
		{RequestedAt, `created time|occurred at|createdtime|created at|createdat|created|submitted at|submittedat|submitted|submitted on|submission date|submission time|lead submit time|timestamp|request date|received at|date submitted|landed at`},
		{TestMark, `is test|istest|test|test lead|test mode|testlead`},
		{AnonymousID, `anonymous id|visitor id|client id|ga client id|cookie id|fbp|session id`}, {AccountID, `account id|oem account|user id|member id|customer id`},
		{LoyaltyID, `loyalty number|loyalty id|membership number`}, {CRMLeadID, `crm lead id|crm id`}, {OtherID, `sender id|senderid|psid|igsid|profile id`},
		{ConsentText, `consent text|consent version|consent text version|tcpa text|tcpa disclosure|disclosure version|terms version|privacy version`},
		{ConsentPlace, `page url|landing page|landing page url|url|page|source url|page uri|referrer|referer|form url`},
		{ConsentEvidence, `trustedform|trusted form|trusted form cert url|xx trusted form cert url|trustedform cert url|trustedform token|xx trusted form token|jornaya|jornaya lead id|leadid token|universal leadid|
			ip|ip address|ipaddress|remote ip|client ip|user agent|useragent|double opt in|doi timestamp`},
		{Known, `api version|gad source|ga|dclid|twclid|sccid|post id|queried id|lead action|notification id|sponsored account|lead stage|page id|page name|page title|object|object id|form position|retailer item id|home listing|post|post submission check result|version|type|owner|
			submit|action|csrf token|landing|hidden|variant|template|event type`},
		{Ignored, `google key`},
	}
}
