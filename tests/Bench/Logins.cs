using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.Bench;

/// <summary>
/// People who log in all at once and again and again: 20 names at 20 addresses, so that no limit on one of them thins the
/// crowd. Who is told to come back later does so; whoever is impatient comes back at once.
/// </summary>
internal sealed class Logins : IAsyncDisposable
{
    private const int People = 20;
    private const string Password = "correct horse";

    /// <summary>The RetryInfo of a full queue.</summary>
    private static readonly TimeSpan ToldToWait = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly GrpcChannel[] _channels;
    private readonly Task _all;
    private int _checked;
    private int _turnedAway;

    private Logins(string address, int count, bool impatient)
    {
        _channels = [.. Enumerable.Range(0, People).Select(i => GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { HttpHandler = From($"127.0.1.{i + 1}"), DisposeHttpClient = true }))];
        _all = Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => LogInAsync(i % People, impatient))));
    }

    public int Checked => _checked;

    public int TurnedAway => _turnedAway;

    /// <summary>Returns once they are at it: their connections are open, the first password was checked and the queue is full.</summary>
    public static async Task<Logins> StartAsync(string address, int count, bool impatient)
    {
        var logins = new Logins(address, count, impatient);
        while (Volatile.Read(ref logins._checked) == 0 || Volatile.Read(ref logins._turnedAway) == 0) await Task.Delay(20);
        return logins;
    }

    public static void AddPeople(string program, string folder)
    {
        for (var i = 0; i < People; i++)
        {
            var start = new ProcessStartInfo(program, ["users", "add", $"person-{i}", "--email", "person@example.org", "--data", folder])
            {
                RedirectStandardInput = true,
                UseShellExecute = false,
            };
            using var adding = Process.Start(start)!;
            adding.StandardInput.WriteLine(Password);
            adding.StandardInput.Close();
            adding.WaitForExit();
            if (adding.ExitCode != 0) throw new InvalidOperationException("A person could not be added.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _all;
        foreach (var channel in _channels) channel.Dispose();
        _stop.Dispose();
    }

    private async Task LogInAsync(int person, bool impatient)
    {
        var client = new MfaService.MfaServiceClient(_channels[person]);
        var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes($"person-{person}:{Password}"));
        var credential = new Metadata { { "authorization", $"Basic {pair}" } };
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await client.GetStatusAsync(new GetStatusRequest(), credential, cancellationToken: _stop.Token);
                Interlocked.Increment(ref _checked);
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
            {
                Interlocked.Increment(ref _turnedAway);
                if (!impatient) await Task.Delay(ToldToWait, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.Cancelled)
            {
            }
        }
    }

    private static SocketsHttpHandler From(string address) => new()
    {
        ConnectCallback = async (context, ct) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };
}
