using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Tests.Services;
using Mfa.V1;
using Microsoft.Extensions.DependencyInjection;

namespace Mfa.Server.Tests.Callers;

/// <summary>Tokens of an issuer, against the whole server (AU3, AU4).</summary>
public sealed class JwtTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly Issuer _issuer = new();
    private TestServer _server = null!;

    private string KeysFile => _folder.File("keys.json");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(KeysFile, _issuer.KeySet, TestContext.Current.CancellationToken);
        _server = await TestServer.StartAsync(Issuer.Settings(KeysFile));
        _issuer.Clock = _server.Clock;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _issuer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_token_of_the_issuer_calls_as_its_subject_with_its_scopes_in_its_tenant()
    {
        foreach (var key in new[] { _issuer.Rsa, _issuer.Pss, _issuer.Ec })
        {
            var token = _issuer.Token(key: key);
            await AllowedAsync(token);
            await Refused.AsAsync(StatusCode.PermissionDenied, "CALLER_NOT_ALLOWED",
                async () => await _server.Client.DisableAsync(new DisableRequest { Account = "alice" }, Bearer(token)));
        }

        var alice = await EnrolledAccount.NewAsync(_server, key: Bearer(_issuer.Token()));
        var stranger = Bearer(_issuer.Token(claims => claims["tenant"] = "another"));
        Assert.Equal(State.Enabled, (await alice.StatusAsync()).State);
        Assert.Equal(State.Disabled, (await _server.Client.GetStatusAsync(new GetStatusRequest { Account = alice.Name }, stranger)).State);
    }

    [Fact]
    public async Task What_the_standards_leave_open_is_accepted()
    {
        string[] good =
        [
            _issuer.Token(claims => claims["aud"] = new JsonArray("other", Issuer.Audience)),
            _issuer.Token(header: header => header["typ"] = "at+jwt"),
            _issuer.Token(header: header => header["typ"] = "application/at+JWT"),
            _issuer.Token(claims => claims["scope"] = new JsonArray("verify", 7, "profile")),
            _issuer.Token(claims => claims["exp"] = _issuer.Now + 300.5),
            _issuer.Token(claims => claims.Remove("nbf")),
            _issuer.Token(claims => claims["sub"] = "auth0|66f0a1"),
            _issuer.Token(claims => claims["exp"] = _issuer.Now - 29), // clocks may differ by 30 s
            _issuer.Token(claims => claims["nbf"] = _issuer.Now + 30),
            _issuer.Token(header: header => header["x5t"] = "a-hint-and-no-key"),
        ];

        foreach (var token in good) await AllowedAsync(token);
    }

    [Fact]
    public async Task Whatever_is_not_exactly_a_valid_token_is_refused()
    {
        await AllowedAsync(_issuer.Token());
        var accepted = new List<string>();
        foreach (var (what, token) in Bad())
        {
            try
            {
                await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", () => CallAsync(token));
            }
            catch (Xunit.Sdk.ThrowsException)
            {
                accepted.Add(what);
            }
        }

        Assert.Empty(accepted);
        await AllowedAsync(_issuer.Token());
    }

    private IEnumerable<(string What, string Token)> Bad()
    {
        var good = _issuer.Token();
        var parts = good.Split('.');
        using var stranger = new IssuerKey(_issuer.Rsa.Id, "RS256");
        var claims = _issuer.Claims().ToJsonString();
        string Header(string alg, string more = "") => $$"""{"alg":"{{alg}}","kid":"{{_issuer.Rsa.Id}}","typ":"JWT"{{more}}}""";
        string Odd(string header, string? body = null) => Issuer.Signed(header, body ?? claims, _issuer.Rsa.Sign);

        foreach (var none in new[] { "none", "None", "nOnE", "NONE", "" })
        {
            yield return ($"alg {none}", Issuer.Signed(Header(none), claims, _ => []));
            yield return ($"alg {none} with a signature", Odd(Header(none)));
        }

        foreach (var secret in new[] { Encoding.ASCII.GetBytes(_issuer.Rsa.Pem), Encoding.ASCII.GetBytes(_issuer.Rsa.Pem + "\n"), [] })
            yield return ("HS256 with the public key", Issuer.Signed(Header("HS256"), claims, data => HMACSHA256.HashData(secret, data)));
        yield return ("a strange key under a known id", _issuer.Token(key: stranger));
        yield return ("a known key of another kind", _issuer.Token(header: header => header["kid"] = _issuer.Ec.Id));
        yield return ("an algorithm that is not chosen", Odd(Header("RS384")));
        yield return ("an algorithm in small letters", Odd(Header("rs256")));
        yield return ("PS256 in the header of RS256", Odd(Header("PS256")));

        foreach (var (name, value) in new (string, JsonNode?)[]
        {
            ("kid", null), ("kid", ""), ("kid", "rsa-2"), ("kid", 1), ("kid", "rsa-1\0"), ("kid", new JsonArray("rsa-1")), ("alg", null),
            ("alg", 256),
            ("typ", null), ("typ", ""), ("typ", "JOSE"), ("typ", "dpop+jwt"), ("typ", "id_token"), ("typ", 1),
            ("crit", new JsonArray("exp")), ("crit", new JsonArray()), ("jku", "https://issuer.example.org/keys"),
            ("x5u", "https://issuer.example.org/key"),
            ("x5c", new JsonArray("MIIB")), ("jwk", _issuer.Rsa.Jwk()),
        })
        {
            yield return ($"header {name} {value?.ToJsonString()}", _issuer.Token(header: header => Set(header, name, value)));
        }

        using (var own = new IssuerKey("own", "RS256"))
        {
            yield return ("a key that came along", _issuer.Token(header: header => header["jwk"] = own.Jwk(), key: own));
            yield return ("an unknown key", _issuer.Token(key: own));
        }

        foreach (var (name, value) in new (string, JsonNode?)[]
        {
            ("iss", null), ("iss", ""), ("iss", Issuer.Name + "/"), ("iss", Issuer.Name.ToUpperInvariant()), ("iss", Issuer.Name + "\0"),
            ("iss", new JsonArray(Issuer.Name)),
            ("aud", null), ("aud", ""), ("aud", "mfa2"), ("aud", "MFA"), ("aud", "mfa\0"), ("aud", "mfa other"), ("aud", new JsonArray()),
            ("aud", new JsonArray("other")),
            ("aud", new JsonArray(Issuer.Audience, 1)), ("aud", new JsonObject { ["mfa"] = true }),
            ("exp", null), ("exp", _issuer.Now - 30), ("exp", 0), ("exp", -1), ("exp", true), ("exp", $"{_issuer.Now + 300}"),
            ("exp", 1e300), ("exp", new JsonArray(_issuer.Now + 300)),
            ("nbf", _issuer.Now + 31), ("nbf", _issuer.Now + 100_000), ("nbf", $"{_issuer.Now}"), ("nbf", -1), ("nbf", 1e300),
            ("sub", null), ("sub", ""), ("sub", "a b"), ("sub", "a\nb"), ("sub", "shop\0"), ("sub", "schö"),
            ("sub", new string('a', 129)), ("sub", 7),
            ("tenant", null), ("tenant", ""), ("tenant", "a b"), ("tenant", "default\0"), ("tenant", "a/b"), ("tenant", new JsonArray("default")),
        })
        {
            yield return ($"claim {name} {value?.ToJsonString()}", _issuer.Token(body => Set(body, name, value)));
        }

        yield return ("a name twice in the header", Odd(Header("RS256", $",\"alg\":\"RS256\"")));
        yield return ("a name twice in the header, escaped", Odd(Header("RS256", $",\"k\\u0069d\":\"{_issuer.Rsa.Id}\"")));
        yield return ("a claim twice", Odd(Header("RS256"), claims[..^1] + ",\"tenant\":\"default\"}"));
        yield return ("a time twice", Odd(Header("RS256"), claims[..^1] + ",\"exp\":99999999999}"));
        yield return ("half a pair of surrogates", Odd(Header("RS256"), claims.Replace("shop", "\\ud800", StringComparison.Ordinal)));
        yield return ("no UTF-8", Issuer.Signed(Encoding.UTF8.GetBytes(Header("RS256")), [.. Encoding.UTF8.GetBytes(claims[..^1]),
            .. ",\"x\":\""u8, 0xFF, (byte)'"', (byte)'}'], _issuer.Rsa.Sign));
        var deep = "{\"a\":" + new string('[', 100) + new string(']', 100) + "," + claims[1..];
        foreach (var body in new[] { "", "null", "[]", "\"text\"", "7", claims + "{}", claims + "x", $"[{claims}]", claims[..^1], deep })
            yield return ($"claims {body[..Math.Min(20, body.Length)]}", Odd(Header("RS256"), body));
        foreach (var header in new[] { "", "null", "[]", Header("RS256") + "{}", Header("RS256") + " x", $"[{Header("RS256")}]" })
            yield return ($"header {header[..Math.Min(20, header.Length)]}", Odd(header));

        yield return ("longer than any token", _issuer.Token(body => body["groups"] = new string('g', SignedToken.MaxLength)));
        foreach (var spoiled in new[]
        {
            good + ".", "." + good, good + "x", good + "=", good + ".x", $"{good}.{parts[2]}", $"{parts[0]}.{parts[1]}",
            $"{parts[0]}.{parts[1]}.", $"{parts[0]}..{parts[2]}",
            $".{parts[1]}.{parts[2]}", $"{parts[0]}.{parts[1]}=.{parts[2]}", good.Replace('.', ','), good + "," + good,
            $"{parts[0]}.{parts[1]}.{parts[2][..^1]}", ".", "..", "...", "",
            $"{parts[0]}.{parts[1]}.{(parts[2][0] == 'A' ? 'B' : 'A')}{parts[2][1..]}", $"{parts[1]}.{parts[0]}.{parts[2]}",
            new JsonObject { ["payload"] = parts[1], ["protected"] = parts[0], ["signature"] = parts[2] }.ToJsonString(),
        })
        {
            yield return ($"form {spoiled[..Math.Min(20, spoiled.Length)]}", spoiled);
        }
    }

    [Fact]
    public async Task A_removed_key_stops_working_when_the_keys_are_read_again_and_a_new_one_works_at_once()
    {
        using var next = new IssuerKey("rsa-2", "RS256");
        var old = _issuer.Token();
        await AllowedAsync(old);
        await File.WriteAllTextAsync(KeysFile, Issuer.KeySetOf(next), TestContext.Current.CancellationToken);
        await AllowedAsync(old); // not read again yet
        _server.Clock.Advance(IssuerKeySource.Gap);

        await AllowedAsync(_issuer.Token(key: next)); // unknown, so the keys are read again

        await RefusedAsync(_issuer.Token());
        await RefusedAsync(old);
    }

    [Fact(Timeout = 120_000)] // for a build that never does it
    public async Task Keys_are_read_again_in_the_background()
    {
        await AllowedAsync(_issuer.Token());
        await File.WriteAllTextAsync(KeysFile, Issuer.KeySetOf(_issuer.Pss), TestContext.Current.CancellationToken);

        _server.Clock.Advance(new JwtOptions().Refresh);

        // The background takes the file on another thread: asked until it has.
        while (await IsAllowedAsync(_issuer.Token())) TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        await AllowedAsync(_issuer.Token(key: _issuer.Pss));
    }

    [Fact]
    public async Task Keys_of_a_site_are_there_with_the_first_call_and_a_site_that_is_away_keeps_nobody_else_out()
    {
        await using var site = await KeySite.StartAsync(_issuer.KeySet);
        string[] settings = [$"jwt:issuer={Issuer.Name}", $"jwt:audience={Issuer.Audience}", $"jwt:keysUrl={site.Url}"];
        await using (var server = await TestServer.StartAsync(settings))
            await server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, Bearer(_issuer.Token()));
        site.Fail(503);

        await using var lonely = await TestServer.StartAsync(settings);

        await lonely.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, await lonely.KeyAsync());
        async Task CallAsync() => await lonely.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, Bearer(_issuer.Token()));
        await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", CallAsync);
        site.Publish(_issuer.KeySet);
        lonely.Clock.Advance(IssuerKeySource.Gap);
        _issuer.Clock = lonely.Clock;
        await CallAsync();
    }

    [Fact]
    public async Task A_token_is_another_caller_than_a_key_of_its_name_and_the_same_caller_as_the_next_token()
    {
        var alice = await EnrolledAccount.NewAsync(_server);
        var key = await _server.Services.GetRequiredService<ApiKeys>().CreateAsync("shop", "default", Scopes.Verify | Scopes.Enroll);
        var request = new VerifyRequest { Account = alice.Name, Code = alice.Code(_server.Step), RequestId = Guid.NewGuid().ToString() };

        var first = await _server.Client.VerifyAsync(request, Bearer(_issuer.Token()));
        var next = await _server.Client.VerifyAsync(request, Bearer(_issuer.Token(key: _issuer.Ec)));
        var ofKey = await _server.Client.VerifyAsync(request, Bearer(key!));
        var ofOther = await _server.Client.VerifyAsync(request, Bearer(_issuer.Token(claims => claims["sub"] = "mall")));

        Assert.Equal((Verdict.Accepted, first), (first.Verdict, next));
        Assert.Equal((Verdict.Rejected, Verdict.Rejected), (ofKey.Verdict, ofOther.Verdict));
    }

    [Fact]
    public async Task Two_credentials_on_one_call_are_refused()
    {
        var key = (await _server.KeyAsync())[0].Value;
        var token = $"Bearer {_issuer.Token()}";
        foreach (var (one, two) in new[] { (key, token), (token, key), (token, token), (token, TestServer.Basic("jane", "correct horse")[0].Value) })
        {
            var metadata = new Metadata { { "authorization", one }, { "authorization", two } };
            await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED",
                async () => await _server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, metadata));
        }

        await RefusedAsync($"{token["Bearer ".Length..]}, {key}");
    }

    private static Metadata Bearer(string token) => new() { { "authorization", $"Bearer {token}" } };

    private static void Set(JsonObject members, string name, JsonNode? value)
    {
        if (value is null) members.Remove(name);
        else members[name] = value;
    }

    private async Task CallAsync(string token) => await _server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, Bearer(token));

    private Task AllowedAsync(string token) => CallAsync(token);

    private Task<Google.Rpc.Status> RefusedAsync(string token) =>
        Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", () => CallAsync(token));

    private async Task<bool> IsAllowedAsync(string token)
    {
        try
        {
            await CallAsync(token);
            return true;
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
        {
            return false;
        }
    }
}
