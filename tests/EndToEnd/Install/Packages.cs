using System.Diagnostics;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Install;

/// <summary>What `make packages` has made, and how it is installed where nothing else is.</summary>
internal static class Packages
{
    public static string Folder { get; } = Path.Combine(ServerProgram.Repository, "out/packages");

    public static string Debian => Only("mfa-server_*.deb");

    public static string Image => Only("mfa-server-*.oci.tar");

    public static string Version => Path.GetFileName(Only("MfaGrpc.Tool.*.nupkg"))["MfaGrpc.Tool.".Length..^".nupkg".Length];

    /// <summary>A feed of these packages and, for what they stand on, of those that the repository was built with. Nothing comes from a network.</summary>
    public static async Task<string> FeedAsync(TempFolder folder)
    {
        _ = Only("MfaGrpc.Client.*.nupkg");
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } chosen ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
        var path = folder["nuget.config"];
        await File.WriteAllTextAsync(path, $"""
            <configuration>
              <packageSources><clear /><add key="made" value="{Folder}" /><add key="had" value="{cache}" /></packageSources>
            </configuration>
            """, TestContext.Current.CancellationToken);
        return path;
    }

    /// <summary>The SDK with a home of its own, so that nothing of an earlier installation is found.</summary>
    public static Task<Ended> DotnetAsync(TempFolder folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder["."] };
        start.Environment["DOTNET_CLI_HOME"] = folder["home"];
        start.Environment["NUGET_PACKAGES"] = folder["home/packages"];
        start.Environment["DOTNET_NOLOGO"] = start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name); // what a test run by `dotnet test` inherits
        return OutsideProgram.RunAsync(start, []);
    }

    /// <summary>As the superuser, who alone may install packages and change the root; where we are not, as one within a namespace.</summary>
    public static ProcessStartInfo AsRoot(params string[] command)
    {
        string[] words = Environment.IsPrivilegedProcess ? command : ["unshare", "--map-root-user", .. command];
        return new ProcessStartInfo(words[0], words[1..]);
    }

    public static async Task<string> DoneAsync(ProcessStartInfo start)
    {
        var ended = await OutsideProgram.RunAsync(start, []);
        Assert.True(ended.ExitCode == 0, $"{start.FileName} {string.Join(' ', start.ArgumentList)}: {ended.Output}{ended.Errors}");
        return ended.Output;
    }

    private static string Only(string pattern)
    {
        var files = Directory.Exists(Folder) ? Directory.GetFiles(Folder, pattern) : [];
        Assert.True(files.Length == 1, $"{files.Length} files {pattern} in {Folder}. Run: make packages");
        return files[0];
    }
}
