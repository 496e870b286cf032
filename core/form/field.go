package form

// Field is a place of a lead that an answer can fill. Its text is what sources files call it.
type Field string

// The fields that answers and files can name. Known is kept with the lead and never flagged;
// Ignored is kept in the raw form only.
const (
	Unknown Field = ""
	Known   Field = "known"
	Ignored Field = "ignored"

	Name             Field = "name"
	Prefix           Field = "prefix"
	GivenName        Field = "given_name"
	MiddleName       Field = "middle_name"
	FamilyName       Field = "family_name"
	Suffix           Field = "suffix"
	Company          Field = "company"
	Email            Field = "email"
	Phone            Field = "phone"
	MobilePhone      Field = "mobile_phone"
	WorkPhone        Field = "work_phone"
	HomePhone        Field = "home_phone"
	Fax              Field = "fax"
	Street           Field = "street"
	Unit             Field = "unit"
	City             Field = "city"
	Region           Field = "region"
	PostalCode       Field = "postal_code"
	Country          Field = "country"
	Born             Field = "born"
	Language         Field = "language"
	BestTime         Field = "best_time"
	PreferredChannel Field = "preferred_channel"

	Comments    Field = "comments"
	RequestType Field = "request_type"
	LineOf      Field = "line"
	Brand       Field = "brand"
	TimeFrame   Field = "time_frame"
	RequestedAt Field = "requested_at"
	TestMark    Field = "test"

	Vehicle           Field = "vehicle"
	VehicleYear       Field = "vehicle.year"
	VehicleMake       Field = "vehicle.make"
	VehicleModel      Field = "vehicle.model"
	VehicleModelCode  Field = "vehicle.model_code"
	VehicleTrim       Field = "vehicle.trim"
	VehicleBody       Field = "vehicle.body"
	VehicleVIN        Field = "vehicle.vin"
	VehicleStock      Field = "vehicle.stock"
	VehicleColor      Field = "vehicle.color"
	VehicleStatus     Field = "vehicle.status"
	VehiclePowertrain Field = "vehicle.powertrain"
	VehiclePrice      Field = "vehicle.price"
	Owned             Field = "owned"
	OwnedYear         Field = "owned.year"
	OwnedMake         Field = "owned.make"
	OwnedModel        Field = "owned.model"
	OwnedVIN          Field = "owned.vin"
	OwnedOdometer     Field = "owned.odometer"
	Trade             Field = "trade"
	TradeYear         Field = "trade.year"
	TradeMake         Field = "trade.make"
	TradeModel        Field = "trade.model"
	TradeVIN          Field = "trade.vin"
	TradeOdometer     Field = "trade.odometer"
	TradeCondition    Field = "trade.condition"
	FinanceMethod     Field = "finance.method"
	DownPayment       Field = "finance.down_payment"
	MonthlyPayment    Field = "finance.monthly"

	DealerID   Field = "dealer.id"
	DealerCode Field = "dealer.code"
	DealerName Field = "dealer.name"

	SourceChannel  Field = "source.channel"
	SourceName     Field = "source.source"
	SubSource      Field = "source.sub_source"
	SourceProvider Field = "source.provider"
	SourceMedium   Field = "source.medium"
	SourceForm     Field = "source.form"
	CampaignID     Field = "campaign.id"
	CampaignName   Field = "campaign.name"
	CampaignMedium Field = "campaign.medium"
	CampaignOffer  Field = "campaign.offer"
	CampaignTerm   Field = "campaign.term"
	CampaignText   Field = "campaign.content"
	AdID           Field = "campaign.ad_id"
	AdGroup        Field = "campaign.ad_group"
	ClickGoogle    Field = "click.gclid"
	ClickGoogleApp Field = "click.gbraid"
	ClickGoogleWeb Field = "click.wbraid"
	ClickMeta      Field = "click.fbclid"
	ClickLinkedIn  Field = "click.li_fat_id"
	ClickMicrosoft Field = "click.msclkid"
	ClickTikTok    Field = "click.ttclid"
	Organic        Field = "organic"
	Platform       Field = "platform"

	SourceLeadID Field = "id.source_lead"
	AnonymousID  Field = "id.anonymous"
	AccountID    Field = "id.oem_account"
	LoyaltyID    Field = "id.loyalty"
	CRMLeadID    Field = "id.crm_lead"
	OtherID      Field = "id.other"

	ConsentBox      Field = "consent"
	ConsentText     Field = "consent.text_version"
	ConsentPlace    Field = "consent.place"
	ConsentEvidence Field = "consent.evidence"
)

// Fields lists every field that a sources file may name.
func Fields() []string {
	all := []Field{
		Known, Ignored, Name, Prefix, GivenName, MiddleName, FamilyName, Suffix, Company, Email, Phone, MobilePhone, WorkPhone, HomePhone,
		Fax, Street, Unit, City, Region, PostalCode, Country, Born, Language, BestTime, PreferredChannel, Comments, RequestType, LineOf,
		Brand, TimeFrame, RequestedAt, TestMark, Vehicle, VehicleYear, VehicleMake, VehicleModel, VehicleModelCode, VehicleTrim,
		VehicleBody, VehicleVIN, VehicleStock, VehicleColor, VehicleStatus, VehiclePowertrain, VehiclePrice, Owned, OwnedYear, OwnedMake,
		OwnedModel, OwnedVIN, OwnedOdometer, Trade, TradeYear, TradeMake, TradeModel, TradeVIN, TradeOdometer, TradeCondition,
		FinanceMethod, DownPayment, MonthlyPayment, DealerID, DealerCode, DealerName, SourceChannel, SourceName, SubSource,
		SourceProvider, SourceMedium, SourceForm, CampaignID, CampaignName, CampaignMedium, CampaignOffer, CampaignTerm, CampaignText,
		AdID, AdGroup, ClickGoogle, ClickGoogleApp, ClickGoogleWeb, ClickMeta, ClickLinkedIn, ClickMicrosoft, ClickTikTok, Organic,
		Platform, SourceLeadID, AnonymousID, AccountID, LoyaltyID, CRMLeadID, OtherID, ConsentText, ConsentPlace, ConsentEvidence,
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = string(f)
	}
	return names
}
