using System.Text.Json;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Audit;

/// <summary>A row as `audit list` tells it.</summary>
internal sealed record TrailRow(long Seq, string Act, string Outcome, string Reason, string Factor, int Calls, string Account, string Caller, string Peer, Guid? Reference);

/// <summary>The trail as an operator sees it, beside a running server.</summary>
internal static class Trail
{
    private static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Oldest first.</summary>
    public static async Task<List<TrailRow>> ListAsync(ServerProcess server, params string[] filter)
    {
        var ended = await ServerProgram.RunAsync(["audit", "list", "--data", server.Data, "--limit", "1000000", "--output", "json", .. filter]);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        var rows = JsonSerializer.Deserialize<List<TrailRow>>(ended.Output, Snake)!;
        rows.Reverse();
        return rows;
    }

    public static Task<Ended> VerifyAsync(ServerProcess server, params string[] more) =>
        ServerProgram.RunAsync(["audit", "verify", "--data", server.Data, .. more]);

    public static async Task AssertWholeAsync(ServerProcess server, params string[] more)
    {
        var ended = await VerifyAsync(server, more);
        Assert.True(ended.ExitCode == 0, $"{ended.Output} {ended.Errors}");
        Assert.StartsWith("whole: ", ended.Output, StringComparison.Ordinal);
    }
}
