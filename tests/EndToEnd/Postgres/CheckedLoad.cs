using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.EndToEnd.Processes;
using Mfa.Torture;
using Mfa.Torture.Checking;
using Mfa.Torture.History;
using Mfa.Torture.Load;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>The load of the torture spread over servers of one database, with a history that is checked at the end.</summary>
internal sealed class CheckedLoad : ITarget, IDisposable
{
    private const int Workers = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>What RetryInfo asks for is two seconds; this is for a test of some seconds.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly GrpcChannel[] _channels;
    private readonly Connection[] _connections;
    private readonly Torture.Load.Mailbox _mailbox;
    private readonly TempFolder _folder = new();
    private readonly HistoryFile _history;
    private int _next;
    private int _life = 1;

    public CheckedLoad(SharedServers servers)
    {
        var key = new Metadata { { "authorization", $"Bearer {servers.All[0].DevKey}" } };
        _channels = [.. servers.All.Select(server => GrpcChannel.ForAddress(server.Grpc))];
        _connections = [.. _channels.Select(channel => new Connection(1, new MfaService.MfaServiceClient(channel), key))];
        _mailbox = new Torture.Load.Mailbox(Path.Combine(servers.All[0].Data, "outbox"));
        _history = new HistoryFile(_folder["history.jsonl"]);
    }

    public static string[] Settings => [.. Torment.Settings, .. Torment.Unlimited];

    public long Now => Torture.Clock.Microseconds() / 1000;

    public int ClockMoves => 0;

    public int Life => Volatile.Read(ref _life);

    public bool IsHungUpOn => false;

    public Task<Connection> ConnectedAsync() =>
        Task.FromResult(_connections[(int)((uint)Interlocked.Increment(ref _next) % (uint)_connections.Length)]);

    public Task LeftAsync(int life, Outcome outcome) => Task.Delay(Pause);

    /// <summary>From now on callers try first whether what they used last was forgotten.</summary>
    public void SomethingWasLost() => Interlocked.Increment(ref _life);

    /// <summary>Waits until so many more calls were answered.</summary>
    public async Task AnsweredAsync(int more)
    {
        var (before, start) = (_history.Answers, Stopwatch.GetTimestamp());
        while (_history.Answers < before + more)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, "The servers do not answer any more.");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Runs the load while something happens, and holds its history against the rules.</summary>
    public async Task<Report> RunAsync(Func<Task> meanwhile)
    {
        var client = new Client(this, _history);
        var chance = new Chance(Environment.ProcessId);
        var workers = Enumerable.Range(0, Workers).Select(i => new Worker($"w{i}", client, _mailbox, this, Torment.Rules, chance.Fork())).ToArray();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var load = workers.Select(worker => Task.Run(() => worker.RunAsync(end.Token))).ToArray();
        try
        {
            await meanwhile();
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(load);
        }

        await Task.WhenAll(workers.Select(worker => worker.LookBackAsync(client)));
        _history.Dispose();
        return new Checker(Torment.Rules).Check(HistoryFile.Read(_history.Path));
    }

    public void Dispose()
    {
        _history.Dispose();
        foreach (var channel in _channels) channel.Dispose();
        _folder.Dispose();
    }
}
