using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace Mfa.Client.Tests;

internal sealed record Finished(int ExitCode, string Output, string Error)
{
    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public string[] JsonFields => [.. Json.EnumerateObject().Select(property => property.Name)];
}

/// <summary>Everything the terminal showed, and whether its echo was on at the end.</summary>
internal sealed record Conversation(int ExitCode, string Text, bool Echo);

/// <summary>The built <c>mfa</c>, run as its users run it.</summary>
internal static class MfaProgram
{
    // The client's own build output: in this folder it would miss the libraries that the test host has from ASP.NET.
    // MFA_PROGRAM names another build of it, such as the Native AOT one.
    private static readonly string Path = System.Environment.GetEnvironmentVariable("MFA_PROGRAM")
        ?? typeof(MfaProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "MfaProgram").Value!;

    /// <summary>With pipes: <paramref name="input"/> is standard input, line by line.</summary>
    public static async Task<Finished> RunAsync(
        StubServer? server, string arguments, string input = "", string[]? environment = null, string? folder = null, string? umask = null,
        bool patient = true)
    {
        string[] argv = [Path, .. patient ? Patience(server, arguments) : [], .. Split(arguments)];
        if (umask is not null) argv = ["/bin/sh", "-c", $"umask {umask}; exec \"$0\" \"$@\"", .. argv];
        return await StartAsync(argv, input, Environment(server, environment ?? []), folder);
    }

    /// <summary>Many tests run at once: unless a test is about the deadline, one must not end a call that is merely slow.</summary>
    private static string[] Patience(StubServer? server, string arguments) =>
        (server is not null || arguments.Contains("--endpoint", StringComparison.Ordinal)) && !arguments.Contains("--timeout", StringComparison.Ordinal)
            ? ["--timeout", "120"]
            : [];

    /// <summary>On a pseudo-terminal: waits for each text, in this order, then types what goes with it.</summary>
    public static async Task<Conversation> TalkAsync(
        StubServer? server, string arguments, (string Expect, string Type)[] steps,
        string[]? environment = null, string? folder = null, int columns = 100, string? output = null, bool gagged = false)
    {
        var job = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["argv"] = (string[])[Path, .. Split(arguments)],
            ["env"] = Environment(server, environment ?? []),
            ["cwd"] = folder ?? AppContext.BaseDirectory,
            ["columns"] = columns,
            ["umask"] = 0,
            ["output"] = output,
            ["gagged"] = gagged,
            ["steps"] = steps.Select(step => (string[])[step.Expect, step.Type]).ToArray(),
        };
        var driver = System.IO.Path.Combine(AppContext.BaseDirectory, "pseudo_terminal.py");
        var run = await StartAsync(["/usr/bin/python3", driver], JsonSerializer.Serialize(job), Environment(null, []), null);
        Assert.True(run.ExitCode == 0, run.Error);
        var missed = run.Json.GetProperty("missed").GetString();
        var text = run.Json.GetProperty("text").GetString()!;
        Assert.True(missed is null, $"Never saw: {missed}\nSaw: {text}");
        return new Conversation(run.Json.GetProperty("exit").GetInt32(), text, run.Json.GetProperty("echo").GetBoolean());
    }

    public static async Task<Finished> StartAsync(
        string[] argv, string input, Dictionary<string, string> environment, string? folder)
    {
        var start = new ProcessStartInfo(argv[0], argv[1..])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? AppContext.BaseDirectory,
        };
        start.Environment.Clear();
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it, as a usage error does.
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{string.Join(' ', argv)} did not end. It said: {await output} {await error}");
        }
        return new Finished(process.ExitCode, await output, await error);
    }

    private static Dictionary<string, string> Environment(StubServer? server, string[] more)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/bin:/bin",
            ["HOME"] = System.IO.Path.GetTempPath(),
            ["LANG"] = "C.UTF-8",
            ["TERM"] = "xterm-256color",
            // Where the test host found its runtime, the program must too.
            ["DOTNET_ROOT"] = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../..")),
        };
        if (server is not null) environment["MFA_ENDPOINT"] = server.Endpoint;
        foreach (var pair in more) environment[pair.Split('=')[0]] = pair[(pair.IndexOf('=') + 1)..];
        return environment;
    }

    private static string[] Split(string arguments) => arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
