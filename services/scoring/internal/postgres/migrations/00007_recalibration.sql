-- +goose Up

-- Keeps the points of what scored the line and finds only its chances anew.
ALTER TABLE training ADD COLUMN recalibrate boolean NOT NULL DEFAULT false;
