using System.Diagnostics;
using System.Reflection;
using System.Text;

namespace Mfa.EndToEnd.Processes;

/// <summary>The server's program: the one that was built with these tests, or the one that MFA_SERVER names.</summary>
internal static class ServerProgram
{
    private const string Variable = "MFA_SERVER";

    /// <summary>The folder that the repository was built in.</summary>
    public static string Repository { get; } = Metadata("Repository");

    /// <summary>The one that was built with these tests, which needs the runtime.</summary>
    public static string Normal { get; } = Metadata("ServerProgram");

    public static string Path { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen ? chosen : Normal;

    /// <summary>The folders that the programs lie in, as for PATH.</summary>
    public static string Programs { get; } = $"{System.IO.Path.GetDirectoryName(Path)}:{System.IO.Path.GetDirectoryName(Metadata("ClientProgram"))}";

    /// <summary>The program that takes OTLP, out of its package.</summary>
    public static string Receiver { get; } = Metadata("Receiver");

    /// <summary>A shell for a script, without settings of the machine that the tests run on.</summary>
    public static ProcessStartInfo Shell(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", script]);
        Clean(start);
        return start;
    }

    /// <summary>How to start it. Settings of the machine that the tests run on do not reach it.</summary>
    public static ProcessStartInfo Command(params string[] arguments)
    {
        var (program, first) = Path.EndsWith(".dll", StringComparison.Ordinal) ? ("dotnet", Path) : (Path, null);
        // The most careless mask there is: the modes of its files must be the server's own doing. A file that may not grow is an
        // error to be told, as a full disk is, and not a signal.
        var start = new ProcessStartInfo("sh", ["-c", "umask 000; trap '' XFSZ; exec \"$@\"", "sh", program]);
        if (first is not null) start.ArgumentList.Add(first);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        Clean(start);
        if (FolderStores.AddressFor(arguments) is { } address) start.Environment["MFA__STORE__CONNECTION"] = address;
        return start;
    }

    /// <summary>Runs a verb that ends by itself.</summary>
    public static Task<Ended> RunAsync(params string[] arguments) => OutsideProgram.RunAsync(Command(arguments), []);

    /// <summary>Creates an API key as an operator does, also beside a running server.</summary>
    public static async Task<string> CreateKeyAsync(string data, string name, string scopes, string tenant = "default", string? store = null)
    {
        string[] there = store is null ? [] : ["--store", store];
        var ended = await RunAsync(["keys", "create", name, "--scopes", scopes, "--tenant", tenant, "--data", data, .. there]);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        return ended.Output.Trim();
    }

    public static async Task RevokeKeyAsync(string data, string name)
    {
        var ended = await RunAsync("keys", "revoke", name, "--data", data);
        Assert.True(ended.ExitCode == 0, ended.Errors);
    }

    /// <summary>Adds a person; the password goes through standard input.</summary>
    public static async Task AddPersonAsync(string data, string name, string email, string password)
    {
        var start = Command("users", "add", name, "--email", email, "--data", data);
        var ended = await OutsideProgram.RunAsync(start, Encoding.UTF8.GetBytes(password + "\n"));
        Assert.True(ended.ExitCode == 0, ended.Errors);
    }

    private static void Clean(ProcessStartInfo start)
    {
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MFA", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
    }

    private static string Metadata(string key) => typeof(ServerProgram).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
