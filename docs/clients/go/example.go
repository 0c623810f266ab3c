// A second factor from Go. Usage:
//
//	example enrol ACCOUNT [EMAIL]          an authenticator app, or codes by e-mail
//	example verify ACCOUNT CODE [ENROLLMENT]
//	example send ACCOUNT                   a fresh code by e-mail
//
// Server and key: MFA_ENDPOINT, MFA_API_KEY, and MFA_CACERT for an authority of your own.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"fmt"
	"io/ioutil"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	mfav1 "mfagrpc/mfa/v1"
)

// Repeats calls that did not reach the server. Safe because each carries a request id.
//
//go:embed retry.json
var retries string

type secondFactor struct {
	client mfav1.MfaServiceClient
	key    string
}

func connect(endpoint, key, caFile string) (*secondFactor, error) {
	options := []grpc.DialOption{grpc.WithDefaultServiceConfig(retries)}
	if strings.HasPrefix(endpoint, "https://") {
		config := &tls.Config{}
		if caFile != "" {
			pem, err := ioutil.ReadFile(caFile)
			if err != nil {
				return nil, err
			}
			config.RootCAs = x509.NewCertPool()
			config.RootCAs.AppendCertsFromPEM(pem)
		}
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	} else {
		options = append(options, grpc.WithInsecure()) // loopback only
	}
	connection, err := grpc.Dial(endpoint[strings.Index(endpoint, "://")+3:], options...)
	if err != nil {
		return nil, err
	}
	return &secondFactor{mfav1.NewMfaServiceClient(connection), key}, nil
}

func (f *secondFactor) context() (context.Context, context.CancelFunc) {
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+f.key)
	return context.WithTimeout(ctx, 20*time.Second)
}

func (f *secondFactor) enrol(account, email string) (*mfav1.EnableResponse, error) {
	ctx, cancel := f.context()
	defer cancel()
	method := mfav1.Method_METHOD_AUTHENTICATOR
	if email != "" {
		method = mfav1.Method_METHOD_EMAIL
	}
	return f.client.Enable(ctx, &mfav1.EnableRequest{Account: account, Method: method, Email: email})
}

func (f *secondFactor) verify(account, code, enrollment string) (*mfav1.VerifyResponse, error) {
	ctx, cancel := f.context()
	defer cancel()
	return f.client.Verify(ctx, &mfav1.VerifyRequest{Account: account, Code: code, EnrollmentId: enrollment, RequestId: newUUID()})
}

func (f *secondFactor) send(account string) (*mfav1.GetTokenResponse, error) {
	ctx, cancel := f.context()
	defer cancel()
	return f.client.GetToken(ctx, &mfav1.GetTokenRequest{Account: account, RequestId: newUUID()})
}

// explain tells what went wrong in one line: the reason to branch on, the server's words, and when to come back.
func explain(err error) string {
	failed := status.Convert(err)
	line := ""
	for _, detail := range failed.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			line = detail.Reason + ": " + failed.Message()
		case *errdetails.RetryInfo:
			line += fmt.Sprintf(" Come back in %d s.", detail.RetryDelay.Seconds)
		}
	}
	switch {
	case line != "":
		return line
	// No word from the server: the call never got there.
	case strings.Contains(failed.Message(), "certificate") || strings.Contains(failed.Message(), "x509"):
		return "NOT_TRUSTED: the server's certificate was not accepted. " + failed.Message()
	default:
		return "CANNOT_REACH: " + failed.Message()
	}
}

func newUUID() string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic(err)
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func run(verb, account string, more []string) (bool, error) {
	endpoint := os.Getenv("MFA_ENDPOINT")
	if endpoint == "" {
		endpoint = "http://127.0.0.1:7443"
	}
	factor, err := connect(endpoint, os.Getenv("MFA_API_KEY"), os.Getenv("MFA_CACERT"))
	if err != nil {
		return false, err
	}
	more = append(more, "", "")
	switch verb {
	case "enrol":
		pending, err := factor.enrol(account, more[0])
		if err != nil {
			return false, err
		}
		fmt.Println("enrollment", pending.EnrollmentId)
		if pending.Secret != "" {
			fmt.Println("secret", pending.Secret) // or show pending.QrCodeSvg
		}
		fmt.Println("recovery codes", strings.Join(pending.RecoveryCodes, " "))
	case "send":
		sent, err := factor.send(account)
		if err != nil {
			return false, err
		}
		fmt.Println("sent to", sent.Destination)
	case "verify":
		answer, err := factor.verify(account, more[0], more[1])
		if err != nil {
			return false, err
		}
		switch answer.Verdict {
		case mfav1.Verdict_VERDICT_ACCEPTED:
			fmt.Println("accepted")
			return true, nil
		case mfav1.Verdict_VERDICT_LOCKED:
			until := "enrolled again" // no time when only a new enrolment helps
			if answer.RetryTime != nil {
				until = time.Unix(answer.RetryTime.Seconds, 0).UTC().Format(time.RFC3339)
			}
			fmt.Println("locked until", until)
		default: // also a verdict that this program does not know
			fmt.Println("rejected, attempts remaining:", answer.AttemptsRemaining)
		}
		return false, nil
	}
	return true, nil
}

func main() {
	done, err := run(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, explain(err))
	}
	if err != nil || !done {
		os.Exit(1)
	}
}
