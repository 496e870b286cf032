-- +goose Up

-- Updates also come from people: who and why. folded: the lead's body has it already.
ALTER TABLE lead_update ADD COLUMN actor text, ADD COLUMN reason text, ADD COLUMN folded boolean;

-- Who rejected a lead by hand; NULL: the rules did.
ALTER TABLE rejected ADD COLUMN actor text;

-- Hashes of the identifiers that a lead bears in other systems; NULL if none, or not looked at yet.
ALTER TABLE lead ADD COLUMN lookup_keys bigint[];

-- +goose Down
ALTER TABLE lead DROP COLUMN lookup_keys;
ALTER TABLE rejected DROP COLUMN actor;
ALTER TABLE lead_update DROP COLUMN actor, DROP COLUMN reason, DROP COLUMN folded;
