package rpc

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/health" // clients balance on the health that servers push
	"google.golang.org/grpc/metadata"
)

// balance spreads calls over the healthy addresses of a service.
const balance = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}`

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
