using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Mfa.EndToEnd.Calls;

namespace Mfa.EndToEnd.Processes;

/// <summary>
/// A server that runs as a process of its own on a data folder of its own. Can be killed, stopped and started again on the
/// same folder. Keeps all that it printed, and fails at its end if a secret is among it.
/// </summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int Freeze = 19;

    /// <summary>Starting takes well under a second; only a server that hangs gets here.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly List<Caller> _callers = [];
    private readonly bool _dev;
    private readonly string[] _settings;
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);
    private string _listen = "http://127.0.0.1:0";
    private string _web = "http://127.0.0.1:0";
    private string[] _more = [];
    private string? _authority;
    private Process? _process;
    private Task _reading = Task.CompletedTask;

    private ServerProcess(bool dev, string[] settings) => (_dev, _settings, Tls) = (dev, settings, new TlsFolder(_folder["tls"]));

    /// <summary>The data folder. The server creates it.</summary>
    public string Data => _folder["data"];

    public string Database => _folder["data/mfa.db"];

    /// <summary>Where its certificate lies when it was started with TLS.</summary>
    public TlsFolder Tls { get; }

    public int ProcessId => _process!.Id;

    public Uri Grpc { get; private set; } = null!;

    public Uri Web { get; private set; } = null!;

    /// <summary>A key with every scope: the one that a development server leaves in its folder.</summary>
    public string DevKey { get; private set; } = "";

    /// <summary>A caller with that key, on one connection.</summary>
    public Caller Dev { get; private set; } = null!;

    /// <summary>All that it ever printed, on both streams.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>How it ended, and all that it said, when nobody here ended it; null while it runs.</summary>
    public string? EndedByItself => _process is { HasExited: true } ended ? $"A server ended with {ended.ExitCode}:\n{string.Join('\n', _lines)}" : null;

    /// <summary>What it told once and must never print.</summary>
    public Secrets Secrets { get; } = new();

    /// <summary>A development server.</summary>
    /// <param name="settings">Each section:key=value.</param>
    public static Task<ServerProcess> StartAsync(params string[] settings) => StartAsync(dev: true, settings);

    /// <summary>A development server that speaks TLS on both addresses, with a certificate for 127.0.0.1.</summary>
    /// <param name="clientCa">Who may vouch for callers; null when they are not asked.</param>
    public static Task<ServerProcess> StartWithTlsAsync(Certificates certificates, string? clientCa = null, params string[] settings) =>
        StartWithTlsAsync(files => files.Write(certificates, clientCa), settings);

    public static async Task<ServerProcess> StartWithTlsAsync(Action<TlsFolder> layDown, params string[] settings)
    {
        var server = new ServerProcess(dev: true, settings) { _listen = "https://127.0.0.1:0", _web = "https://127.0.0.1:0" };
        layDown(server.Tls);
        server._authority = await File.ReadAllTextAsync(server.Tls.Authority);
        return await StartedAsync(server);
    }

    /// <summary>A server with the certificate that `init --tls` leaves in its folder.</summary>
    public static async Task<ServerProcess> StartAfterInitAsync(string listen, params string[] hosts)
    {
        var server = new ServerProcess(dev: false, []) { _listen = listen };
        var init = await ServerProgram.RunAsync(["init", "--data", server.Data, "--tls", "--host", .. hosts]);
        Assert.True(init.ExitCode == 0, init.Errors);
        server._authority = await File.ReadAllTextAsync(Path.Combine(server.Data, "tls", "server.crt"));
        return await StartedAsync(server);
    }

    /// <summary>A development server whose web address is known before it starts, for settings that name it.</summary>
    public static Task<ServerProcess> StartOnAsync(string web, params string[] settings) => StartAsync(dev: true, settings, web);

    /// <summary>A development server whose clock stands still.</summary>
    public static Task<ServerProcess> StartWithTestClockAsync() => StartedAsync(new ServerProcess(dev: true, []) { _more = ["--test-clock"] });

    /// <summary>A development server with more in its environment.</summary>
    public static Task<ServerProcess> StartUnderAsync(IReadOnlyDictionary<string, string> environment, params string[] settings) =>
        StartAsync(dev: true, settings, web: null, environment);

    /// <summary>A development server with the key ring, the key and the mailbox of another one, for the database that both work on.</summary>
    public static Task<ServerProcess> StartBesideAsync(ServerProcess other, params string[] settings)
    {
        var server = new ServerProcess(dev: true, settings);
        server.LayBeside(other);
        return StartedAsync(server);
    }

    /// <summary>A development server on a file that a verb puts into its folder, which has the key ring, the key and the mailbox of another one.</summary>
    public static async Task<ServerProcess> StartOnFileAsync(ServerProcess other, Func<string, Task> fill)
    {
        var server = new ServerProcess(dev: true, []);
        server.LayBeside(other);
        await fill(server.Data);
        return await StartedAsync(server);
    }

    /// <summary>A server in production with the key ring and the key of another one, for the database that both work on.</summary>
    public static Task<ServerProcess> StartBesideInProductionAsync(ServerProcess other, IReadOnlyDictionary<string, string> environment)
    {
        var server = new ServerProcess(dev: false, other._settings) { DevKey = other.DevKey };
        foreach (var (name, value) in environment) server._environment[name] = value;
        server.LayBeside(other);
        return StartedAsync(server);
    }

    /// <summary>A server as it runs in production; an operator makes the key that has every scope.</summary>
    public static Task<ServerProcess> StartInProductionAsync(params string[] settings) => StartAsync(dev: false, settings);

    /// <summary>Starts on the same folder with the same settings. It serves when this returns.</summary>
    public async Task StartAgainAsync()
    {
        await FolderStores.GiveAsync(Data, _settings);
        string[] serve = ["serve", "--data", Data, "--listen", _listen, "--web", _web, .. _more];
        if (_dev) serve = [.. serve, "--dev"];
        var start = ServerProgram.Command([.. serve, .. _settings.Concat(Tls.Settings).SelectMany(s => new[] { "--set", s })]);
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = Process.Start(start)!;

        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput, ready), ReadAsync(_process.StandardError, ready: null));
        var words = (await ready.Task.WaitAsync(Patience)).Split(' ');
        Grpc = new Uri(words.Single(w => w.StartsWith("grpc=", StringComparison.Ordinal))["grpc=".Length..].Replace("[::]", "127.0.0.1", StringComparison.Ordinal));
        Web = new Uri(words.Single(w => w.StartsWith("web=", StringComparison.Ordinal))["web=".Length..]);
        if (_dev) DevKey = (await File.ReadAllTextAsync(Path.Combine(Data, "dev.key"))).Trim();
        else if (DevKey.Length == 0) DevKey = await ServerProgram.CreateKeyAsync(Data, "all", "verify,enroll,disable,admin", store: StoreSetting());
        Secrets.Add(DevKey);
        Dev = NewCaller(DevKey);
    }

    /// <summary>A caller on a connection of its own.</summary>
    public Caller NewCaller(string apiKey) => NewCallerWith($"Bearer {apiKey}");

    /// <param name="authorization">Any number of whole values, scheme first.</param>
    public Caller NewCallerWith(params string[] authorization) =>
        Keep(new Caller(Grpc, authorization, Secrets, _authority is null ? null : Trust.In(_authority)));

    /// <summary>A caller that shows a certificate of its own.</summary>
    public Caller NewCallerWith(Certificates shown, params string[] authorization) =>
        Keep(new Caller(Grpc, authorization, Secrets, Trust.In(_authority!, shown)));

    /// <summary>Cuts its life short, as kill -9 and the out-of-memory killer do.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await EndAsync();
    }

    /// <summary>It does nothing any more, and holds all that it has, until it is killed.</summary>
    public void Suspend() => Assert.Equal(0, Signal(_process!.Id, Freeze));

    /// <summary>Asks it to stop and waits until it has.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        Assert.Equal(0, Signal(_process!.Id, Terminate));
        return await EndAsync();
    }

    /// <summary>Waits for an end that nobody asks for.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> EndedAsync() => EndAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        lock (_callers) _callers.ForEach(caller => caller.Dispose());
        _folder.Dispose();
        Secrets.AssertNoneIn(_lines);
    }

    private static Task<ServerProcess> StartAsync(
        bool dev, string[] settings, string? web = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var server = new ServerProcess(dev, settings);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) server._environment.Add(name, value);
        if (web is not null) server._web = web;
        return StartedAsync(server);
    }

    private string? StoreSetting()
    {
        const string Setting = "store:connection=";
        return _settings.FirstOrDefault(s => s.StartsWith(Setting, StringComparison.Ordinal))?[Setting.Length..];
    }

    private void LayBeside(ServerProcess other)
    {
        Directory.CreateDirectory(Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in new[] { "keys.json", "dev.key" }.Where(file => File.Exists(Path.Combine(other.Data, file))))
            File.Copy(Path.Combine(other.Data, file), Path.Combine(Data, file));
        Directory.CreateDirectory(Path.Combine(other.Data, "outbox"));
        Directory.CreateSymbolicLink(Path.Combine(Data, "outbox"), Path.Combine(other.Data, "outbox"));
    }

    private static async Task<ServerProcess> StartedAsync(ServerProcess server)
    {
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private Caller Keep(Caller caller)
    {
        lock (_callers) _callers.Add(caller);
        return caller;
    }

    private async Task<int> EndAsync()
    {
        var process = _process!;
        _process = null;
        await process.WaitForExitAsync().WaitAsync(Patience);
        await _reading; // to the end of both streams: the last lines count as well
        var code = process.ExitCode;
        process.Dispose();
        return code;
    }

    private async Task ReadAsync(StreamReader stream, TaskCompletionSource<string>? ready)
    {
        while (await stream.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(line);
            if (line.StartsWith("ready ", StringComparison.Ordinal)) ready?.TrySetResult(line);
        }

        ready?.TrySetException(new InvalidOperationException($"The server ended: {string.Join('\n', _lines)}"));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
