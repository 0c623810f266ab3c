using System.Diagnostics;
using System.Runtime.InteropServices;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.Torture.History;
using Mfa.Torture.Load;
using Mfa.V1;

namespace Mfa.Torture.Faults;

/// <summary>
/// The server under torture: one folder, many lives. Runs with libfaketime in front of its clock, which a file moves; the clock
/// that measures time spans is left alone.
/// </summary>
internal sealed partial class Target : ITarget, IAsyncDisposable
{
    /// <summary>A start takes well under a second; on a machine that is overwhelmed it may take this.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string _program;
    private readonly string[] _settings;
    private readonly Dictionary<string, string> _environment;
    private readonly string[] _wrapper;
    private readonly List<GrpcChannel> _channels = [];
    private TaskCompletionSource<Connection> _up = New();
    private Process? _process;
    private Task _reading = Task.CompletedTask;
    private long _offset;
    private long _settled;

    /// <param name="environment">More variables for the server.</param>
    /// <param name="wrapper">A program that the server runs under, and its arguments.</param>
    public Target(string program, string folder, string[] settings, Dictionary<string, string> environment, string[]? wrapper = null)
    {
        (_program, _settings, _environment, _wrapper) = (program, settings, environment, wrapper ?? []);
        Data = Path.Combine(folder, "data");
        Log = Path.Combine(folder, "server.log");
        ClockFile = Path.Combine(folder, "clock");
        File.WriteAllText(ClockFile, "+0");
    }

    /// <summary>How far a fault may move the clock, in milliseconds.</summary>
    public static long[] Offsets { get; } = [0, -3_600_000, -20_000, 40_000, 86_400_000];

    public string Data { get; }

    public string Log { get; }

    /// <summary>Which life this is, from 1 on.</summary>
    public int Life { get; private set; }

    public int ClockMoves { get; private set; }

    public int ProcessId => _process!.Id;

    public long Offset => Interlocked.Read(ref _offset);

    /// <summary>The server's clock, in Unix milliseconds.</summary>
    public long Now => Clock.Microseconds() / 1000 + Offset;

    /// <summary>What its clock may show before a call arrives.</summary>
    public static long[] Nows => [.. Offsets.Select(offset => Clock.Microseconds() / 1000 + offset)];

    private string ClockFile { get; }

    public async Task StartAsync()
    {
        Life++;
        var start = new ProcessStartInfo("sh") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] command = _program.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", _program] : [_program];
        // A write beyond the size limit is to fail, as on a full disk, not to end the process.
        string[] arguments = ["-c", "trap '' XFSZ; exec \"$@\"", "sh", .. _wrapper, .. command, "serve", "--dev", "--data", Data,
            "--listen", "http://127.0.0.1:0", "--web", "http://127.0.0.1:0", .. Torment.Unlimited.Concat(_settings).SelectMany(s => new[] { "--set", s })];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in _environment.Concat(FakeClock(ClockFile))) start.Environment[name] = value;
        _process = Process.Start(start)!;
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput, ready), ReadAsync(_process.StandardError, null));
        var words = (await ready.Task.WaitAsync(Patience)).Split(' ');
        var channel = GrpcChannel.ForAddress(words.Single(word => word.StartsWith("grpc=", StringComparison.Ordinal))["grpc=".Length..]);
        _channels.Add(channel);
        var key = (await File.ReadAllTextAsync(Path.Combine(Data, "dev.key"))).Trim();
        _up.SetResult(new Connection(Life, new MfaService.MfaServiceClient(channel), new Metadata { { "authorization", $"Bearer {key}" } }));
    }

    /// <summary>Waits until it serves.</summary>
    public Task<Connection> ConnectedAsync() => Volatile.Read(ref _up).Task;

    public bool IsHungUpOn => true;

    /// <summary>After a call that broke: gives whoever ends this life the time to say so.</summary>
    public async Task LeftAsync(int life, Outcome outcome)
    {
        if (outcome != Outcome.Unknown) return;
        for (var i = 0; i < 20 && life == Life; i++) await Task.Delay(10);
    }

    /// <summary>Ends this life with a signal and tells the history when it was over.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync(int signal, HistoryFile? history)
    {
        Volatile.Write(ref _up, New()); // calls from now on wait for the next life
        var process = _process!;
        if (Signal(process.Id, signal) != 0) throw new InvalidOperationException("The server had ended by itself.");
        await process.WaitForExitAsync().WaitAsync(Patience);
        await _reading;
        history?.Add(new Line(Death: new Death(Life, Clock.Microseconds())));
        var code = process.ExitCode;
        process.Dispose();
        _process = null;
        return code;
    }

    public void MoveClock(long offset, HistoryFile history)
    {
        var start = Clock.Microseconds();
        var next = $"{ClockFile}.next";
        File.WriteAllText(next, $"{offset / 1000:+0;-0}");
        File.Move(next, ClockFile, overwrite: true);
        Interlocked.Exchange(ref _offset, offset);
        ClockMoves++;
        // The server goes by what it read before for a second, and counts that in whole ones.
        _settled = Clock.Microseconds() + 2_500_000;
        history.Add(new Line(Clock: new ClockMove(start, _settled, offset)));
    }

    /// <summary>What its clocks say between two histories: an enrollment tells when it expires.</summary>
    public async Task<ClockMove> LookAtClockAsync()
    {
        var rest = _settled - Clock.Microseconds();
        if (rest > 0) await Task.Delay(TimeSpan.FromMicroseconds(rest));
        while (true)
        {
            var up = await ConnectedAsync();
            var start = Clock.Microseconds();
            try
            {
                var request = new EnableRequest { Account = $"look-{start}", Method = Method.Authenticator };
                var expires = (await up.Client.EnableAsync(request, up.Key)).ExpireTime.ToDateTimeOffset();
                var time = (expires - Torment.Rules.EnrollmentLifetime).ToUnixTimeMilliseconds();
                return new ClockMove(0, 0, Offset, time - Clock.Microseconds() / 1000, time - start / 1000);
            }
            catch (RpcException again) when (again.StatusCode == StatusCode.Unavailable)
            {
                await Task.Delay(100); // the last fault is not over yet
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await EndAsync(9, null);
        foreach (var channel in _channels) channel.Dispose();
    }

    private static Dictionary<string, string> FakeClock(string file) => new()
    {
        ["LD_PRELOAD"] = Directory.GetDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime/libfaketimeMT.so.1"))
            .FirstOrDefault(File.Exists) ?? throw new InvalidOperationException("The torture needs libfaketime. On Debian: apt-get install faketime"),
        ["FAKETIME_TIMESTAMP_FILE"] = file,
        ["FAKETIME_CACHE_DURATION"] = "1", // seconds; reading the file at every look at the clock costs more than the server does
        ["DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0", // a mend for other C libraries; with this one each timed wait ends at once, and the server spins
    };

    private async Task ReadAsync(StreamReader stream, TaskCompletionSource<string>? ready)
    {
        while (await stream.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal)) ready?.TrySetResult(line);
            else lock (_channels) File.AppendAllText(Log, line + "\n");
        }

        ready?.TrySetException(new InvalidOperationException($"The server did not start; see {Log}."));
    }

    private static TaskCompletionSource<Connection> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
