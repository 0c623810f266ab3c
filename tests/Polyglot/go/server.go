package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io/ioutil"
	"sort"
	"strings"
	"time"

	"github.com/golang/protobuf/jsonpb"
	"github.com/golang/protobuf/proto"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	mfav1 "mfagrpc/mfa/v1"
)

// server is the generated stub, with requests and replies in the contract's JSON form.
type server struct {
	connection *grpc.ClientConn
	client     mfav1.MfaServiceClient
	key        string // the credential of this server alone; empty for those of the world
}

func connect(address, caFile, key string) *server {
	option := grpc.WithInsecure()
	if caFile != "" {
		pem, err := ioutil.ReadFile(caFile)
		if err != nil {
			panic(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		option = grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool}))
	}
	connection, err := grpc.Dial(address[strings.Index(address, "://")+3:], option)
	if err != nil {
		panic(err)
	}
	return &server{connection, mfav1.NewMfaServiceClient(connection), key}
}

func (s *server) call(rpc string, request interface{}, credential string) (object, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if credential != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", credential)
	}
	bytes, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	reply, err := s.send(ctx, rpc, string(bytes))
	if err != nil {
		return nil, err
	}
	writer := jsonpb.Marshaler{OrigName: true, EmitDefaults: true}
	written, err := writer.MarshalToString(reply)
	if err != nil {
		return nil, err
	}
	var read object
	return read, json.Unmarshal([]byte(written), &read)
}

func (s *server) send(ctx context.Context, rpc, request string) (proto.Message, error) {
	read := func(into proto.Message) {
		if err := jsonpb.UnmarshalString(request, into); err != nil {
			panic(err)
		}
	}
	switch rpc {
	case "Enable":
		var message mfav1.EnableRequest
		read(&message)
		return s.client.Enable(ctx, &message)
	case "Verify":
		var message mfav1.VerifyRequest
		read(&message)
		return s.client.Verify(ctx, &message)
	case "GetToken":
		var message mfav1.GetTokenRequest
		read(&message)
		return s.client.GetToken(ctx, &message)
	case "Disable":
		var message mfav1.DisableRequest
		read(&message)
		return s.client.Disable(ctx, &message)
	case "ConfirmDisable":
		var message mfav1.ConfirmDisableRequest
		read(&message)
		return s.client.ConfirmDisable(ctx, &message)
	case "GetStatus":
		var message mfav1.GetStatusRequest
		read(&message)
		return s.client.GetStatus(ctx, &message)
	case "RegenerateRecoveryCodes":
		var message mfav1.RegenerateRecoveryCodesRequest
		read(&message)
		return s.client.RegenerateRecoveryCodes(ctx, &message)
	default:
		reply := &mfav1.GetStatusResponse{}
		return reply, s.connection.Invoke(ctx, "/mfa.v1.MfaService/"+rpc, &mfav1.GetStatusRequest{}, reply)
	}
}

var names = map[int]string{
	3: "INVALID_ARGUMENT", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 9: "FAILED_PRECONDITION", 10: "ABORTED",
	12: "UNIMPLEMENTED", 13: "INTERNAL", 14: "UNAVAILABLE", 16: "UNAUTHENTICATED",
}

// readError is an error in the form that stories expect.
func readError(err error) object {
	failed := status.Convert(err)
	got := object{"status": names[int(failed.Code())], "reason": "", "fields": []interface{}{}, "limit": "", "retry": nil}
	for _, detail := range failed.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			got["reason"], got["limit"] = detail.Reason, detail.Metadata["limit"]
		case *errdetails.BadRequest:
			fields := []interface{}{}
			for _, violation := range detail.FieldViolations {
				fields = append(fields, violation.Field)
			}
			sort.Slice(fields, func(i, j int) bool { return fields[i].(string) < fields[j].(string) })
			got["fields"] = fields
		case *errdetails.RetryInfo:
			seconds := detail.RetryDelay.Seconds
			if detail.RetryDelay.Nanos > 0 {
				seconds++
			}
			got["retry"] = float64(seconds)
		}
	}
	return got
}
