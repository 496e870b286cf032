package main

import (
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/sources"
	"google.golang.org/protobuf/encoding/protojson"
)

type sourcesCmd struct {
	Check sourcesCheckCmd `cmd:"" help:"Check a sources file; print what a sample becomes."`
}

type sourcesCheckCmd struct {
	File        string `arg:"" placeholder:"FILE" help:"The sources file."`
	Try         string `placeholder:"SAMPLE" help:"A body as a source would send it; prints the lead it becomes. Nothing is stored."`
	Source      string `placeholder:"NAME" help:"The source that sends the sample; needed where the file has several."`
	ContentType string `placeholder:"TYPE" help:"Content type of the sample; by the end of its name unless given."`
}

func (c *sourcesCheckCmd) Run(s streams) error {
	file, err := sources.Read(c.File)
	if err != nil {
		return err
	}
	if c.Try == "" {
		for _, src := range file.Sources {
			fmt.Fprintf(s.out, "%-24s %-9s %s\n", src.Name, src.Kind, address(src))
		}
		fmt.Fprintln(s.out, "the sources file is sound")
		return nil
	}
	src, err := c.source(file)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(c.Try)
	if err != nil {
		return fmt.Errorf("read the sample: %w", err)
	}
	if c.ContentType == "" {
		c.ContentType = contentType(c.Try)
	}
	tried, err := capture.TryForm(file, src, c.ContentType, body)
	if err != nil {
		return err
	}
	for _, t := range tried {
		if t.Unreadable != "" {
			fmt.Fprintf(s.out, "parked: %s\n", t.Unreadable)
			continue
		}
		if t.Waits {
			fmt.Fprintln(s.out, "parked until its form is fetched; known by now:")
		}
		fmt.Fprintln(s.out, protojson.MarshalOptions{UseProtoNames: true, Multiline: true}.Format(leadconv.ToProto(&t.Lead)))
		for _, f := range t.Lead.Flags {
			if f.Code == lead.FlagUnknownField {
				fmt.Fprintf(s.out, "kept, but nothing is known of: %s\n", strings.TrimPrefix(f.Field, "form."))
			}
		}
	}
	if len(tried) == 0 {
		fmt.Fprintln(s.out, "the sample tells of no lead")
	}
	return nil
}

// source is the one the sample is from.
func (c *sourcesCheckCmd) source(file *sources.File) (*sources.Source, error) {
	if c.Source == "" && len(file.Sources) == 1 {
		return file.Sources[0], nil
	}
	names := make([]string, len(file.Sources))
	for i, s := range file.Sources {
		names[i] = s.Name
	}
	if src := file.Find(c.Source); src != nil {
		return src, nil
	}
	return nil, fmt.Errorf("--source names the source of the sample; there are %s%s", strings.Join(names, ", "), lead.Suggest(c.Source, names))
}

// address is where a source posts to.
func address(src *sources.Source) string {
	switch src.Kind {
	case sources.Meta, sources.Google, sources.STAR:
		return "POST /v1/" + string(src.Kind) + "/" + src.Name
	}
	return "POST /v1/forms/" + src.Name
}

func contentType(path string) string {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".json":
		return "application/json"
	case ".txt", "":
		return "application/x-www-form-urlencoded"
	default:
		return mime.TypeByExtension(ext)
	}
}
