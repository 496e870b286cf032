package rpc

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // clients balance on the health that servers push
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
)

// balance spreads calls over the healthy addresses of a service.
const balance = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}`

// DialInProcess connects a service to the listener of its own process.
func DialInProcess(t Telemetry, service string, listener *bufconn.Listener) (*grpc.ClientConn, error) {
	options := append(clientOptions(t, service),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient("passthrough:///in-process", options...)
	if err != nil {
		return nil, fmt.Errorf("connect %s in process: %w", service, err)
	}
	return conn, nil
}

// DialMesh connects a service to another process. The address is HOST:PORT, or any target gRPC
// resolves to several addresses.
func DialMesh(t Telemetry, service, address string, secured credentials.TransportCredentials) (*grpc.ClientConn, error) {
	options := append(clientOptions(t, service),
		grpc.WithTransportCredentials(secured),
		grpc.WithDefaultServiceConfig(balance))
	conn, err := grpc.NewClient(address, options...)
	if err != nil {
		return nil, fmt.Errorf("connect %s to %s: %w", service, address, err)
	}
	return conn, nil
}

// ActingFor returns a context whose calls the gateway makes for a caller it has authenticated.
func ActingFor(ctx context.Context, c Caller) context.Context {
	return metadata.AppendToOutgoingContext(ctx, callerHeader, c.encode())
}
