module github.com/leadmesh/leadmesh/core

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/nyaruka/phonenumbers v1.8.1
	go.yaml.in/yaml/v3 v3.0.6
	golang.org/x/text v0.43.0
)

require google.golang.org/protobuf v1.36.11 // indirect
