using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Tests.Services;
using Mfa.V1;
using Microsoft.Extensions.DependencyInjection;

namespace Mfa.Server.Tests.Callers;

/// <summary>Several keys of one caller: how one follows another, and how each ends.</summary>
public sealed class ApiKeyTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private ApiKeys Keys => _server.Services.GetRequiredService<ApiKeys>();

    private DateTimeOffset Now => _server.Clock.GetUtcNow();

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task In_a_year_of_keys_that_follow_each_other_no_call_fails()
    {
        var days = TimeSpan.FromDays(1);
        var lifetime = 120 * days; // each key ends by itself when nobody revokes it
        var inUse = await CreateAsync(lifetime);
        var alice = await EnrolledAccount.NewAsync(_server);
        var codes = 0;
        for (var day = 1; day <= 365; day++)
        {
            _server.Clock.AdjustTime(_server.Clock.GetUtcNow() + days); // without a tick for each second of the year
            if (day % 90 == 0)
            {
                // Some servers of the shop have the new key already, others not yet; a call that is repeated may go to either.
                var next = await CreateAsync(lifetime);
                var request = new VerifyRequest { Account = alice.Name, Code = alice.Code(_server.Step), RequestId = Guid.NewGuid().ToString() };
                var first = await _server.Client.VerifyAsync(request, Bearer(inUse));
                Assert.Equal(first, await _server.Client.VerifyAsync(request, Bearer(next)));
                Assert.Equal(Verdict.Accepted, first.Verdict);
                Assert.Equal(1, await Keys.RevokeAsync("shop", IdOf(inUse)));
                (inUse, codes) = (next, codes + 1);
            }

            await CallAsync(inUse);
        }

        Assert.Equal(4, codes);
        var listed = Keys.List().Where(key => key.Name == "shop").ToList();
        Assert.Equal(5, listed.Count);
        Assert.Equal(IdOf(inUse), Assert.Single(listed, key => key.RevokeTime is null).Id);
    }

    [Fact]
    public async Task Each_key_of_a_name_works_until_it_is_revoked_itself()
    {
        var (first, second) = (await CreateAsync(), await CreateAsync());
        await CallAsync(first);
        await CallAsync(second);

        Assert.Equal(0, await Keys.RevokeAsync("mall", IdOf(first))); // not that name's
        Assert.Equal(1, await Keys.RevokeAsync("shop", IdOf(first)));
        Assert.Equal(0, await Keys.RevokeAsync("shop", IdOf(first)));
        await RefusedAsync(first);
        await CallAsync(second);

        Assert.Equal(1, await Keys.RevokeAsync("shop"));
        await RefusedAsync(second);
    }

    [Fact]
    public async Task All_keys_of_a_name_are_revoked_together()
    {
        string[] keys = [await CreateAsync(), await CreateAsync(), await CreateAsync()];

        Assert.Equal(3, await Keys.RevokeAsync("shop"));

        foreach (var key in keys) await RefusedAsync(key);
    }

    [Fact]
    public async Task A_key_ends_at_its_time_and_not_before()
    {
        var key = await CreateAsync(TimeSpan.FromHours(1));
        _server.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        await CallAsync(key);

        _server.Clock.Advance(TimeSpan.FromMilliseconds(1));

        await RefusedAsync(key);
        Assert.Equal(0, await Keys.RevokeAsync("shop"));
    }

    [Fact]
    public async Task Another_key_of_a_name_may_not_do_something_else()
    {
        const Scopes Both = Scopes.Verify | Scopes.Enroll;
        await Keys.CreateAsync("shop", "default", Both, "https://shop.example.org/off", Now.AddHours(1));

        Assert.Null(await Keys.CreateAsync("shop", "default", Scopes.Verify));
        Assert.Null(await Keys.CreateAsync("shop", "default", Both | Scopes.Admin));
        Assert.Null(await Keys.CreateAsync("shop", "another", Both));
        Assert.Null(await Keys.CreateAsync("shop", "default", Both, "https://shop.example.org/other"));
        var second = await Keys.CreateAsync("shop", "default", Both);
        Assert.Equal("https://shop.example.org/off", Keys.Authenticate(second!)!.DisablePage); // that of the caller

        await Keys.RevokeAsync("shop");
        Assert.NotNull(await Keys.CreateAsync("shop", "another", Scopes.Verify)); // a name without keys is free
    }

    [Fact]
    public async Task An_ended_key_does_not_bind_its_name()
    {
        await Keys.CreateAsync("shop", "default", Scopes.Verify, expireTime: Now.AddHours(1));
        _server.Clock.Advance(TimeSpan.FromHours(1));

        Assert.NotNull(await Keys.CreateAsync("shop", "another", Scopes.Enroll));
    }

    [Fact]
    public async Task The_last_use_is_noted_without_the_call_waiting_for_it()
    {
        var (used, unused) = (await CreateAsync(), await CreateAsync());
        _server.Clock.Advance(TimeSpan.FromSeconds(1));
        var time = Now;
        await CallAsync(used);
        await RefusedAsync(used[..^1] + (used[^1] == 'A' ? 'E' : 'A')); // no use of it
        Assert.All(Keys.List(), key => Assert.Null(key.LastUseTime));

        await Keys.SaveUsesAsync();

        Assert.Equal(time, Keys.List().Single(key => key.Id == IdOf(used)).LastUseTime);
        Assert.Null(Keys.List().Single(key => key.Id == IdOf(unused)).LastUseTime);
    }

    [Fact(Timeout = 120_000)] // for a build that never does it
    public async Task Uses_are_noted_once_a_minute()
    {
        var key = await CreateAsync();
        await CallAsync(key);

        _server.Clock.Advance(TimeSpan.FromMinutes(1));

        // The writing is the background's: asked until it has.
        while (Keys.List().Single(k => k.Id == IdOf(key)).LastUseTime is null) TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    private static Metadata Bearer(string key) => new() { { "authorization", $"Bearer {key}" } };

    private static string IdOf(string key) => key.Split('_')[1];

    private async Task<string> CreateAsync(TimeSpan? lifetime = null) =>
        (await Keys.CreateAsync("shop", "default", Scopes.Verify, expireTime: Now + lifetime))!;

    private async Task CallAsync(string key) => await _server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, Bearer(key));

    private Task<Google.Rpc.Status> RefusedAsync(string key) => Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", () => CallAsync(key));
}
