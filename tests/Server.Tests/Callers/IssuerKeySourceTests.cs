using Mfa.Server.Callers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Callers;

/// <summary>The keys of an issuer that publishes them on its site (AU4).</summary>
public sealed class IssuerKeySourceTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly IssuerKey _key = new("rsa-1", "RS256");
    private readonly IssuerKey _next = new("rsa-2", "RS256");
    private KeySite _site = null!;
    private IssuerKeySource _source = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _site = await KeySite.StartAsync(Issuer.KeySetOf(_key));
        _source = new IssuerKeySource(new JwtOptions { KeysUrl = _site.Url, Keep = TimeSpan.FromHours(1) }, _clock);
        await _source.RefreshAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        _next.Dispose();
        await _site.DisposeAsync();
    }

    [Fact]
    public async Task A_removed_key_is_gone_and_an_added_one_known_after_the_next_reading()
    {
        Assert.True(await HasAsync(_key));
        _site.Publish(Issuer.KeySetOf(_next));

        await _source.RefreshAsync(Ct);

        Assert.False(await HasAsync(_key));
        Assert.True(await HasAsync(_next));
    }

    [Fact]
    public async Task Unknown_keys_have_the_site_asked_once_in_a_while_and_for_all_who_wait()
    {
        _site.Publish(Issuer.KeySetOf(_key, _next));
        Assert.False(await HasAsync(_next)); // read just now
        Assert.Equal(1, _site.Asked);
        _clock.Advance(IssuerKeySource.Gap);

        var found = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => HasAsync(_next))));

        Assert.All(found, Assert.True);
        for (var i = 0; i < 50; i++) Assert.Null(await _source.FindAsync($"made-up-{i}", "RS256", Ct));
        Assert.Equal(2, _site.Asked);
    }

    public static TheoryData<string> Failures => ["status 500", "status 404", "redirect", "no JSON", "another JSON", "too large", "cut off", "gone"];

    [Theory, MemberData(nameof(Failures))]
    public async Task When_reading_fails_the_last_keys_serve_for_an_hour_and_then_none(string failure)
    {
        await using var elsewhere = await KeySite.StartAsync(Issuer.KeySetOf(_key, _next));
        switch (failure)
        {
            case "status 500": _site.Fail(500); break;
            case "status 404": _site.Fail(404); break;
            case "redirect": _site.Answer = response => Task.Run(() => response.Redirect(elsewhere.Url)); break;
            case "no JSON": _site.Publish("<html>"); break;
            case "another JSON": _site.Publish("[1]"); break;
            case "too large": _site.Publish(Issuer.KeySetOf(_key) + new string(' ', 300_000)); break;
            case "cut off": _site.Answer = async response => { response.ContentLength = 1000; await response.WriteAsync("{\"keys\":["); response.HttpContext.Abort(); }; break;
            default: await _site.DisposeAsync(); break;
        }

        var why = await Assert.ThrowsAsync<IssuerKeysException>(() => _source.RefreshAsync(Ct));

        Assert.DoesNotContain("127.0.0.1", why.Message, StringComparison.Ordinal);
        Assert.Equal(0, elsewhere.Asked);
        _clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        Assert.True(await HasAsync(_key));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(await HasAsync(_key));
    }

    [Fact]
    public async Task An_issuer_that_withdraws_all_its_keys_has_none()
    {
        _site.Publish("""{"keys":[]}""");

        await Assert.ThrowsAsync<IssuerKeysException>(() => _source.RefreshAsync(Ct));

        Assert.False(await HasAsync(_key));
    }

    [Fact]
    public void Only_keys_that_are_surely_meant_to_verify_are_taken()
    {
        using var ec = new IssuerKey("ec-1", "ES256");
        using var small = System.Security.Cryptography.RSA.Create(1024);
        var n = System.Buffers.Text.Base64Url.EncodeToString(small.ExportParameters(includePrivateParameters: false).Modulus);
        string With(IssuerKey key, string name, System.Text.Json.Nodes.JsonNode value)
        {
            var jwk = key.Jwk();
            jwk[name] = value;
            return $$"""{"keys":[{{jwk.ToJsonString()}}]}""";
        }

        string[] useless =
        [
            With(_key, "use", "enc"), With(_key, "key_ops", new System.Text.Json.Nodes.JsonArray("sign")), With(_key, "alg", "RSA-OAEP"),
            With(_key, "kid", ""),
            With(_key, "n", n), With(_key, "n", ""), With(ec, "crv", "secp256k1"), With(ec, "kty", "OKP"), With(_key, "d", "AQAB"),
            Issuer.KeySetOf(_key, _key), """{"keys":[{"kty":"oct","kid":"k","k":"AAAA"}]}""", """{"keys":[{"kty":"RSA"}]}""", """{"keys":[{}]}""",
        ];

        Assert.All(useless, json => Assert.True(IssuerKeys.Parse(json)!.IsEmpty, json));
        Assert.Null(IssuerKeys.Parse(Issuer.KeySetOf(ec))!.Find("ec-1", "ES384")); // another curve's
        Assert.Null(IssuerKeys.Parse(With(_key, "alg", "RS256"))!.Find("rsa-1", "PS256"));
        Assert.Null(IssuerKeys.Parse(Issuer.KeySetOf(_key))!.Find("rsa-1", "HS256"));
    }

    private async Task<bool> HasAsync(IssuerKey key) => await _source.FindAsync(key.Id, key.Algorithm, Ct) is not null;
}
