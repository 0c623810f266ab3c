using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Delivery;

/// <summary>A program at the other end of the server's deliveries, as a child process. What it prints is waited for, not slept for.</summary>
internal sealed class Peer : IAsyncDisposable
{
    /// <summary>Longer than the server's longest pause after a send that hung; only what never comes takes it all.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(75);

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Task _reading;
    private TaskCompletionSource _more = NewSignal();

    private Peer(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
        _ = _reading.ContinueWith(_ => Signal(), TaskScheduler.Default);
    }

    /// <summary>All that it has printed so far, on both streams.</summary>
    public string[] Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public bool HasEnded => _process.HasExited;

    public static Peer Start(string debianPackage, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return new Peer(Process.Start(start)!);
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException($"These tests need {program}. On Debian: apt-get install {debianPackage}", missing);
        }
    }

    /// <summary>Debian's own Python, which sees the modules that Debian's packages bring.</summary>
    public static Peer StartPython(string script, params string[] arguments) => Start(
        "python3", "/usr/bin/python3", [Path.Combine(ServerProgram.Repository, "tests", "EndToEnd", "Delivery", script), .. arguments]);

    /// <summary>Returns once so many lines that match were printed, ever.</summary>
    public async Task<T[]> WaitAsync<T>(int count, Func<string, T?> match)
        where T : class
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        while (true)
        {
            Task more;
            lock (_lines)
            {
                var found = _lines.Select(match).OfType<T>().ToArray();
                if (found.Length >= count) return found;
                more = _more.Task;
            }

            if (_reading.IsCompleted) throw new InvalidOperationException($"{_process.StartInfo.FileName} ended: {string.Join('\n', Lines)}");
            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException late)
            {
                throw new TimeoutException($"Waited in vain for {count} lines; there were:\n{string.Join('\n', Lines)}", late);
            }
        }
    }

    /// <summary>The events of a name, of a peer that prints JSON.</summary>
    public Task<JsonElement[]> EventsAsync(string name, int count) => EventsAsync(count, e => e.GetProperty("event").GetString() == name);

    public async Task<JsonElement[]> EventsAsync(int count, Func<JsonElement, bool> isMeant) =>
        [.. (await WaitAsync(count, line => Parse(line) is { } e && isMeant(e) ? new Box(e) : null)).Select(box => box.Element)];

    /// <summary>The events of a name so far.</summary>
    public JsonElement[] Events(string name) =>
        [.. Lines.Select(Parse).OfType<JsonElement>().Where(e => e.GetProperty("event").GetString() == name)];

    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Cuts its life short, and its connections with it.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static JsonElement? Parse(string line) => line.StartsWith('{') ? JsonDocument.Parse(line).RootElement : null;

    private async Task ReadAsync(StreamReader stream)
    {
        while (await stream.ReadLineAsync() is { } line)
        {
            lock (_lines) _lines.Add(line);
            Signal();
        }
    }

    private void Signal()
    {
        TaskCompletionSource old;
        lock (_lines) (old, _more) = (_more, NewSignal());
        old.TrySetResult();
    }

    private sealed record Box(JsonElement Element);
}
