using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;
using Mfa.EndToEnd.Calls;

namespace Mfa.EndToEnd.Transport;

/// <summary>Its patience is short, so that the tests need little.</summary>
public sealed class ImpatientServer() : TlsServer(
    ["limits:idleSeconds=5", "limits:handshakeSeconds=1", "limits:headerSeconds=1", "limits:bodySeconds=2"]);

/// <summary>
/// Peers that take what they can: each loses its connection or gets a refusal, nobody else notices, and memory stays bounded
/// (TD1, TD2, TD6, TD7, TD8, TD10).
/// </summary>
public sealed class AbuseTests(ImpatientServer server) : IClassFixture<ImpatientServer>, IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Owner.AssertServedAsync(server.Process.Dev);
        await Memory.AssertBoundedAsync(server.Process);
    }

    [Theory] // TD8
    [InlineData("reset")]
    [InlineData("reset-after-request")]
    [InlineData("window-update-of-zero")]
    [InlineData("window-overflow")]
    [InlineData("data-after-end")]
    [InlineData("headers-after-end")]
    [InlineData("priority-on-itself")]
    [InlineData("priority-cut-short")]
    [InlineData("header-in-capitals")]
    [InlineData("longer-than-announced")]
    [InlineData("no-path")]
    public async Task Who_has_streams_reset_over_and_over_loses_the_connection(string attack)
    {
        var end = await WhileOthersAreServedAsync(attack);

        Assert.True(end["closed"]!.GetValue<bool>());
        Assert.InRange(end["sent"]!.GetValue<int>(), 1, 19_999); // of the 20,000 that it wanted to send
    }

    [Theory]
    [InlineData("continuation-flood")]
    [InlineData("empty-continuation-flood")]
    [InlineData("empty-data-flood")]
    [InlineData("table-bomb")]
    [InlineData("beyond-the-window")]
    [InlineData("ping-flood")]
    [InlineData("settings-flood")]
    public async Task Who_floods_loses_the_connection_or_is_not_read_any_more(string attack)
    {
        var end = await WhileOthersAreServedAsync(attack);

        Assert.True(end["closed"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("large-message", StatusCode.ResourceExhausted)] // TD1
    [InlineData("gzip-bomb", StatusCode.ResourceExhausted)] // TD2
    [InlineData("announced-large", StatusCode.InvalidArgument)]
    public async Task A_message_above_the_limit_is_refused_however_it_is_wrapped(string attack, StatusCode status)
    {
        Assert.Equal("0", (await Attacker.RunAsync(server.Process, "plain-call"))["status"]!.GetValue<string>()); // what makes the rest mean something

        var answer = await WhileOthersAreServedAsync(attack);

        Assert.Equal($"{(int)status}", answer["status"]!.GetValue<string>());
    }

    [Theory] // TD6
    [InlineData("many-headers")]
    [InlineData("long-header")]
    public async Task Headers_above_the_limit_are_refused(string attack)
    {
        var answer = await WhileOthersAreServedAsync(attack);

        Assert.Equal((int)HttpStatusCode.RequestHeaderFieldsTooLarge, answer["http"]!.GetValue<int>());
    }

    [Fact]
    public async Task Who_begins_and_does_not_go_on_loses_the_connection() // TD7
    {
        var ends = await WhileOthersAreServedAsync("slow");

        Assert.Equal(11, ends.AsObject().Count);
        Assert.All(ends.AsObject(), end => Assert.True(end.Value!.GetValue<bool>(), end.Key));
    }

    [Fact]
    public async Task Streams_above_the_limit_are_refused() // TD10
    {
        var end = await WhileOthersAreServedAsync("streams");

        Assert.True(end["refused"]!.GetValue<int>() >= 100 || end["closed"]!.GetValue<bool>());
    }

    /// <summary>A caller on a connection that was open before is answered all the time.</summary>
    private async Task<JsonNode> WhileOthersAreServedAsync(string attack)
    {
        var other = server.Process.NewCaller(server.Process.DevKey);
        await other.GetStatusAsync("a");
        var attacking = Attacker.RunAsync(server.Process, attack);
        do
        {
            await other.GetStatusAsync("a");
            await Task.Delay(20, TestContext.Current.CancellationToken); // leaves the machine to the attack
        }
        while (!attacking.IsCompleted);

        return await attacking;
    }
}
