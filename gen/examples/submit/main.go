// Command submit shows what an OEM backend does with leadmesh: it asks what would become of a
// lead (Decide, DRY_RUN, over the stream), then submits leads for real (BatchCreateLeads).
//
//	go run ./examples/submit --addr 127.0.0.1:9090
//
// Beyond loopback, give --ca and --token.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9090", "address of leadmesh")
	token := flag.String("token", "", "bearer token")
	ca := flag.String("ca", "", "file of the authority that signs the server's certificate")
	flag.Parse()
	if err := run(*addr, *token, *ca, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "submit:", err)
		os.Exit(1)
	}
}

func run(addr, token, ca string, out io.Writer) error {
	secure := insecure.NewCredentials()
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return errors.New("no certificate in the authority file")
		}
		secure = credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13})
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(secure))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	if err := ask(ctx, routingv1.NewDecisionServiceClient(conn), out); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	if err := submit(ctx, capturev1.NewCaptureServiceClient(conn), out); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	return nil
}

// ask sends thin leads over the stream and prints who would get them. Nothing is stored, so a
// postal code and a line are enough, and no personal data is needed.
func ask(ctx context.Context, decisions routingv1.DecisionServiceClient, out io.Writer) error {
	stream, err := decisions.Decide(ctx)
	if err != nil {
		return err
	}
	postalCodes := []string{"80205", "10001", "94110"}
	for i, code := range postalCodes {
		err := stream.Send(&routingv1.DecideRequest{
			Sequence: uint64(i + 1),
			Mode:     routingv1.DecideMode_DECIDE_MODE_DRY_RUN,
			Budget:   durationpb.New(500 * time.Millisecond),
			Lead: &leadv1.Lead{
				Line: leadv1.Line_LINE_SALES, RequestType: leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE,
				Brand: "NORRVIND", Market: "US",
				Parties: []*leadv1.Party{{Address: &leadv1.Address{PostalCode: code, Country: "US"}}},
			},
		})
		if err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for { // answers come in any order; the sequence says which is which
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p := answer.GetProblem(); p != nil {
			return fmt.Errorf("%s: %s", p.GetReason(), p.GetMessage())
		}
		d := answer.GetDecision()
		fmt.Fprintf(out, "postal code %s would go to %s: %s\n",
			postalCodes[answer.GetSequence()-1], d.GetAssignment().GetDealerName(), d.GetWhy())
	}
}

// submit sends two leads. The idempotency key makes sending again safe: the same answer comes.
func submit(ctx context.Context, capture capturev1.CaptureServiceClient, out io.Writer) error {
	lead := func(key, given, email, postalCode string) *leadv1.Lead {
		return &leadv1.Lead{
			IdempotencyKey: key,
			RequestType:    leadv1.RequestType_REQUEST_TYPE_QUOTE,
			Origin:         leadv1.Origin_ORIGIN_OEM,
			Source:         &leadv1.Source{Channel: "web", Source: "oem_site", Form: "quote"},
			Parties: []*leadv1.Party{{
				Name:    &leadv1.Name{Given: given, Family: "Example"},
				Emails:  []*leadv1.Email{{Address: email}},
				Address: &leadv1.Address{PostalCode: postalCode, Country: "US"},
			}},
			Vehicles: []*leadv1.Vehicle{{Make: "Norrvind", Model: "Tindra", Year: 2026}},
		}
	}
	resp, err := capture.BatchCreateLeads(ctx, &capturev1.BatchCreateLeadsRequest{Leads: []*leadv1.Lead{
		lead("example-1", "Ada", "ada@example.com", "80205"),
		lead("example-2", "Grace", "grace@example.org", "10001"),
	}})
	if err != nil {
		return err
	}
	for _, r := range resp.GetResults() {
		switch {
		case r.GetProblem() != nil:
			return fmt.Errorf("%s: %s", r.GetProblem().GetReason(), r.GetProblem().GetMessage())
		case r.GetDecision() == nil:
			fmt.Fprintf(out, "%s is %s: safe, to be decided\n", r.GetLeadId(), r.GetState())
		default:
			a := r.GetDecision().GetAssignment()
			fmt.Fprintf(out, "%s is %s at %s, %s by %s\n", r.GetLeadId(), r.GetState(), a.GetDealerName(),
				a.GetDeadlineKind(), a.GetNextDeadline().AsTime().Format(time.RFC3339))
		}
	}
	return nil
}
