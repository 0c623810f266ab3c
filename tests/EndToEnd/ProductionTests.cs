using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>A server in earnest, on a machine whose variables call everything on it a development one.</summary>
public sealed class ProductionTests
{
    [Fact]
    public async Task Nothing_but_the_option_makes_a_development_server() // CF5
    {
        // Servers that other tests start meanwhile get them too, and must mind them as little.
        Environment.SetEnvironmentVariable("ASPNETCORE_ENVIRONMENT", "Development");
        Environment.SetEnvironmentVariable("DOTNET_ENVIRONMENT", "Development");
        await using var server = await ServerProcess.StartInProductionAsync();

        await Refused.InShapeAsync(() => server.Dev.EnableAsync(new EnableRequest { Account = "alice", Method = Method.Email, Email = "alice@example.org" }));

        Assert.Empty(Directory.GetFileSystemEntries(server.Data, "outbox"));
        Assert.Empty(Directory.GetFileSystemEntries(server.Data, "dev.key"));
    }
}
