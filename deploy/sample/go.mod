module github.com/leadmesh/leadmesh/deploy/sample

go 1.26.0
