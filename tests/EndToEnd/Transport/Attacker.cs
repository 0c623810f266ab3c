using System.Diagnostics;
using System.Text.Json.Nodes;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

/// <summary>An independent client, Node's, that sends what no proper client would (attacks.mjs).</summary>
internal static class Attacker
{
    /// <summary>Does the attack and tells how it ended.</summary>
    public static async Task<JsonNode> RunAsync(ServerProcess server, string attack)
    {
        var ended = await OutsideProgram.RunAsync(Start(server, attack), [], "nodejs");
        Assert.True(ended.ExitCode == 0, ended.Output + ended.Errors);
        return JsonNode.Parse(ended.Output)!;
    }

    public static ProcessStartInfo Start(ServerProcess server, string attack)
    {
        var script = Path.Combine(ServerProgram.Repository, "tests", "EndToEnd", "Transport", "attacks.mjs");
        return new ProcessStartInfo("node", [script, attack, $"{server.Grpc.Port}", server.Tls.Authority, server.DevKey]);
    }
}
