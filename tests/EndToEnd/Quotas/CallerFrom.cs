using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.EndToEnd.Quotas;

/// <summary>Someone who calls from an address of their own: all of 127.0.0.0/8 is this machine.</summary>
internal sealed class CallerFrom : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly MfaService.MfaServiceClient _service;
    private readonly Metadata _metadata;

    public CallerFrom(string address, Uri grpc, string authorization)
    {
        _channel = GrpcChannel.ForAddress(grpc, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (context, ct) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                    await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, ct);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
            DisposeHttpClient = true,
        });
        _service = new MfaService.MfaServiceClient(_channel);
        _metadata = new Metadata { { "authorization", authorization } };
    }

    public async Task<GetStatusResponse> GetStatusAsync() =>
        await _service.GetStatusAsync(new GetStatusRequest(), new CallOptions(_metadata, cancellationToken: TestContext.Current.CancellationToken));

    public void Dispose() => _channel.Dispose();
}
