module github.com/leadmesh/leadmesh/deploy/sample/gen

go 1.26.0
