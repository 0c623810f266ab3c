using System.Text.Json.Nodes;
using Grpc.Core;
using Mfa.EndToEnd.Calls;

namespace Mfa.EndToEnd.Callers;

/// <summary>Services that call with a token that somebody else made, over real TLS (AU3, AU4).</summary>
public sealed class TokenCallerTests(OpenServer server) : IClassFixture<OpenServer>, IAsyncDisposable
{
    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Theory]
    [InlineData("rsa")]
    [InlineData("pss")]
    [InlineData("ec")]
    public async Task A_token_of_the_issuer_serves_from_enrollment_on(string key)
    {
        var token = await server.Issuer.TokenAsync(key);
        server.Process.Secrets.Add(token);
        await Owner.AssertServedAsync(server.Process.NewCaller(token));
    }

    [Fact]
    public async Task No_other_token_is_accepted()
    {
        var good = await server.Issuer.TokenAsync("rsa");
        var stranger = new TokenIssuer();
        await stranger.AddKeyAsync("rsa", "RS256");
        var parts = good.Split('.');
        string[] refused =
        [
            await server.Issuer.TokenAsync("rsa", "none"), await server.Issuer.TokenAsync("rsa", "NoNe"),
            await server.Issuer.TokenAsync("rsa", "HS256"), // with the public key for a secret
            await server.Issuer.TokenAsync("rsa", "RS384"), // signed rightly, with what was not chosen
            await server.Issuer.TokenAsync("rsa", "PS256"), // the key says that it is for RS256
            await server.Issuer.TokenAsync("rsa", new JsonObject { ["exp"] = Now - 60 }),
            await server.Issuer.TokenAsync("rsa", new JsonObject { ["nbf"] = Now + 1800 }),
            await server.Issuer.TokenAsync("rsa", new JsonObject { ["exp"] = null }),
            await server.Issuer.TokenAsync("rsa", new JsonObject { ["aud"] = "another" }),
            await server.Issuer.TokenAsync("rsa", new JsonObject { ["iss"] = "https://another.example.org" }),
            await server.Issuer.TokenAsync("rsa", header: new JsonObject { ["kid"] = "ec" }),
            await server.Issuer.TokenAsync("rsa", header: new JsonObject { ["kid"] = "rsa-2" }),
            await server.Issuer.TokenAsync("rsa", header: new JsonObject { ["typ"] = "dpop+jwt" }),
            await server.Issuer.TokenAsync("rsa", header: new JsonObject { ["crit"] = new JsonArray("exp") }),
            await server.Issuer.TokenAsync("rsa", header: new JsonObject { ["jku"] = "https://issuer.example.org/keys" }),
            await server.Issuer.TokenAsync("rsa", header: new JsonObject { ["x5u"] = "https://issuer.example.org/key" }),
            await server.Issuer.TokenAsync("rsa", header: new JsonObject { ["x5c"] = new JsonArray("MIIB") }),
            await stranger.TokenAsync("rsa"), // the same names, another key
            await stranger.TokenAsync("rsa", header: new JsonObject { ["jwk"] = stranger.PublicKey("rsa") }),
            $"{parts[0]}.{parts[1]}.", $"{good}.", $"{good}{good}", $"{parts[0]}.{parts[2]}.{parts[1]}",
        ];

        foreach (var token in refused) await Refused.AsUnauthenticatedAsync(() => server.Process.NewCaller(token).GetStatusAsync("a"));
        await server.Process.NewCaller(good).GetStatusAsync("a");
    }

    [Fact(Timeout = 120_000)] // for a build that never does it
    public async Task A_key_that_the_issuer_removes_stops_working_on_open_connections() // AU4
    {
        await server.Issuer.AddKeyAsync("old", "ES256");
        await File.WriteAllTextAsync(server.KeysFile, server.Issuer.KeySet, TestContext.Current.CancellationToken);
        var caller = server.Process.NewCaller(await server.Issuer.TokenAsync("old"));
        await UntilAsync(caller, StatusCode.OK);

        await File.WriteAllTextAsync(server.KeysFile, server.Issuer.KeySetOf("rsa", "pss", "ec"), TestContext.Current.CancellationToken);

        await UntilAsync(caller, StatusCode.Unauthenticated);
        await server.Process.NewCaller(await server.Issuer.TokenAsync("ec")).GetStatusAsync("a");
    }

    /// <summary>The server reads its file each second: asked until it has, or the test is given up.</summary>
    private static async Task UntilAsync(Caller caller, StatusCode expected)
    {
        while (await StatusAsync() != expected) await Task.Yield();

        async Task<StatusCode> StatusAsync()
        {
            try
            {
                await caller.GetStatusAsync("a");
                return StatusCode.OK;
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
            {
                return StatusCode.Unauthenticated;
            }
        }
    }
}
