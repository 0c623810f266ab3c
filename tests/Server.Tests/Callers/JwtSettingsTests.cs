using System.Text;
using Mfa.Server.Callers;

namespace Mfa.Server.Tests.Callers;

/// <summary>What an operator says about an issuer, and what the claims then mean.</summary>
public sealed class JwtSettingsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("jwt:audience", "jwt:issuer=https://i", "jwt:keysFile=k")]
    [InlineData("jwt:keysFile", "jwt:issuer=https://i", "jwt:audience=mfa")]
    [InlineData("jwt:keysUrl", "jwt:issuer=https://i", "jwt:audience=mfa", "jwt:keysFile=k", "jwt:keysUrl=https://i/keys")]
    [InlineData("jwt:issuer", "jwt:audience=mfa")]
    [InlineData("jwt:issuer", "jwt:algorithms=ES256")]
    [InlineData("jwt2:audience", "jwt2:issuer=https://i", "jwt2:keysFile=k")]
    [InlineData("jwt:keepSeconds", "jwt:issuer=https://i", "jwt:audience=mfa", "jwt:keysFile=k", "jwt:refreshSeconds=3600")]
    [InlineData("jwt2:issuer", "jwt:issuer=https://i", "jwt:audience=a", "jwt:keysFile=k",
        "jwt2:issuer=https://i", "jwt2:audience=b", "jwt2:keysFile=k")]
    public void Half_an_issuer_is_refused_by_the_name_of_the_setting(string named, params string[] sets) => Assert.Contains(named, Refusal(sets));

    [Theory]
    [InlineData("jwt:algorithms=")]
    [InlineData("jwt:algorithms=HS256")]
    [InlineData("jwt:algorithms=none")]
    [InlineData("jwt:algorithms=RS256,HS256")]
    [InlineData("jwt:algorithms=RS256,")]
    [InlineData("jwt:algorithms=rs256")]
    [InlineData("jwt:issuer=")]
    [InlineData("jwt:audience=")]
    [InlineData("jwt:audience=a b")]
    [InlineData("jwt:keysUrl=http://issuer.example.org/keys")]
    [InlineData("jwt:keysUrl=file:///etc/keys")]
    [InlineData("jwt:scopeClaim=")]
    [InlineData("jwt:tenantClaim= ")]
    [InlineData("jwt:nameClaim=")]
    [InlineData("jwt:scopePrefix=")]
    [InlineData("jwt:tenant=a b")]
    [InlineData("jwt:refreshSeconds=0")]
    [InlineData("jwt:keepSeconds=604801")]
    public void A_value_that_would_weaken_it_is_refused(string set) => Assert.Contains("(from --set)", Refusal(set));

    [Theory]
    [InlineData("", "the file cannot be read")]
    [InlineData("{", "no JWK Set")]
    [InlineData("""{"keys":[]}""", "none of the keys can verify signatures")]
    [InlineData("""{"keys":[{"kty":"oct","kid":"k","k":"AAAA"}]}""", "none of the keys can verify signatures")]
    public async Task A_file_without_a_key_stops_the_start(string content, string says)
    {
        var file = _folder.File("keys.json");
        if (content.Length > 0) await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => TestServer.StartAsync(Issuer.Settings(file)));

        Assert.Contains("jwt:keysFile", refused.Message);
        Assert.Contains(file, refused.Message);
        Assert.Contains(says, refused.Message);
    }

    [Theory]
    [InlineData("""{"scope":"verify"}""", "", (int)Scopes.Verify)]
    [InlineData("""{"scope":"openid verify  enroll profile"}""", "", (int)(Scopes.Verify | Scopes.Enroll))]
    [InlineData("""{"scope":["disable","admin"]}""", "", (int)(Scopes.Disable | Scopes.Admin))]
    [InlineData("""{"scope":"mfa:verify enroll"}""", "mfa:", (int)Scopes.Verify)]
    [InlineData("""{"scope":"mfa:verify"}""", "", 0)]
    [InlineData("""{"scope":"mfa:mfa:verify"}""", "mfa:", 0)]
    [InlineData("""{"scope":"Verify VERIFY verify,enroll"}""", "", 0)]
    [InlineData("""{"scope":"1 3 15"}""", "", 0)] // the numbers of the flags are no names
    [InlineData("""{"scope":""}""", "", 0)]
    [InlineData("""{"scope":7}""", "", 0)]
    [InlineData("""{"scope":{"verify":true}}""", "", 0)]
    [InlineData("""{"scopes":"verify"}""", "", 0)]
    public void Words_of_the_scope_claim_give_the_scopes_they_name(string claims, string prefix, int scopes)
    {
        var read = TokenClaims.Read(Encoding.UTF8.GetBytes($$"""{"iss":"i","exp":1,{{claims[1..]}}"""))!;

        Assert.Equal((Scopes)scopes, read.Scopes("scope", prefix));
    }

    [Fact]
    public async Task A_tenant_that_is_set_holds_whatever_a_token_says()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        using var issuer = new Issuer { Clock = clock };
        var file = _folder.File("keys.json");
        await File.WriteAllTextAsync(file, issuer.KeySet, TestContext.Current.CancellationToken);
        var callers = JwtCallers.From(Read([.. Issuer.Settings(file), "jwt:tenant=shops", "jwt:nameClaim=azp"]), clock);

        foreach (var tenant in new[] { "default", "another", null })
        {
            var token = issuer.Token(claims => (claims["tenant"], claims["azp"]) = (tenant, "till-7"));
            var caller = await callers.AuthenticateAsync(token, TestContext.Current.CancellationToken);
            Assert.Equal(("shops", "jwt:till-7"), (caller!.Tenant, caller.Id));
        }
    }

    [Fact]
    public async Task Each_of_two_issuers_speaks_for_its_own_callers_with_its_own_keys()
    {
        using var first = new Issuer();
        using var second = new Issuer();
        var (file, file2) = (_folder.File("keys.json"), _folder.File("keys2.json"));
        await File.WriteAllTextAsync(file, first.KeySet, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file2, second.KeySet, TestContext.Current.CancellationToken);
        var callers = JwtCallers.From(
            Read([.. Issuer.Settings(file), "jwt2:issuer=https://second", "jwt2:audience=mfa-two", $"jwt2:keysFile={file2}"]), TimeProvider.System);
        async Task<string?> IdAsync(string token) => (await callers.AuthenticateAsync(token, TestContext.Current.CancellationToken))?.Id;
        void OfSecond(System.Text.Json.Nodes.JsonObject claims) => (claims["iss"], claims["aud"]) = ("https://second", "mfa-two");

        Assert.Equal("jwt:shop", await IdAsync(first.Token()));
        Assert.Equal("jwt2:shop", await IdAsync(second.Token(OfSecond)));
        Assert.Null(await IdAsync(first.Token(OfSecond)));
        Assert.Null(await IdAsync(second.Token()));
        Assert.Null(await IdAsync(second.Token(claims => claims["iss"] = "https://second"))); // the first one's audience
    }

    private Settings Read(string[] sets) => SettingSources.Read(new Settings(), _folder.Path, sets);

    private string Refusal(params string[] sets) => Assert.Throws<StartRefusedException>(() => Read(sets)).Message;
}
