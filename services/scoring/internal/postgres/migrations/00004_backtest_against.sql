-- +goose Up

-- What scored the line when the backtest began: a model, '' for the playbook's own table, whose hash the
-- scorecard is. Both are '' in rows of earlier versions.
ALTER TABLE backtest
    ADD COLUMN against   text NOT NULL DEFAULT '',
    ADD COLUMN scorecard text NOT NULL DEFAULT '';
