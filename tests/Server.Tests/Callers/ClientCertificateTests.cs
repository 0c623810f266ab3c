using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mfa.Server.Callers;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Callers;

/// <summary>Which caller a client certificate is, once the handshake has let it pass (AU5).</summary>
public sealed class ClientCertificateTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private DataFolder _data = null!;
    private ClientCertificates _certificates = null!;

    public async ValueTask InitializeAsync()
    {
        _data = await DataFolder.OpenAsync(_folder.File("data"), _clock);
        _certificates = new ClientCertificates(_data.Store, _clock);
    }

    public ValueTask DisposeAsync()
    {
        _data.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_mapped_name_makes_its_caller_and_nothing_else_does()
    {
        await MapAsync("shop", "dns:shop.example.org", "uri:spiffe://example.org/shop");

        foreach (var good in new[]
        {
            Certificate("shop.example.org"), Certificate("SHOP.Example.org"), Certificate("spiffe://example.org/shop"),
            Certificate("other.example.org", "shop.example.org"),
        })
        {
            Assert.Equal(("certificate:shop", "default", Scopes.Verify), Of(_certificates.Authenticate(good)!));
        }

        foreach (var bad in new[]
        {
            Certificate(), Certificate("mall.example.org"), Certificate("*.example.org"), Certificate("a.shop.example.org"),
            Certificate("example.org"),
            Certificate("spiffe://example.org/shop/"), Certificate("spiffe://example.org/SHOP"), Certificate("https://shop.example.org"),
            CertificateOfCommonName("shop.example.org"),
        })
        {
            Assert.Null(_certificates.Authenticate(bad));
        }
    }

    [Fact]
    public async Task Names_of_two_callers_on_one_certificate_make_none()
    {
        await MapAsync("shop", "dns:shop.example.org");
        await MapAsync("mall", "dns:mall.example.org");

        Assert.Null(_certificates.Authenticate(Certificate("shop.example.org", "mall.example.org")));
    }

    [Fact]
    public async Task An_unmapped_name_and_a_revoked_certificate_are_refused_at_the_next_call()
    {
        await MapAsync("shop", "dns:shop.example.org", "dns:shop2.example.org");
        var (stolen, successor, other) = (Certificate("shop.example.org"), Certificate("shop.example.org"), Certificate("shop2.example.org"));
        Assert.All([stolen, successor, other], certificate => Assert.NotNull(_certificates.Authenticate(certificate)));

        Assert.Equal(1, await _certificates.RevokeAsync(stolen.GetCertHash(HashAlgorithmName.SHA256)));
        Assert.Null(_certificates.Authenticate(stolen));
        Assert.NotNull(_certificates.Authenticate(successor));

        Assert.Equal(0, await _certificates.UnmapAsync("mall", "dns:shop.example.org"));
        Assert.Equal(1, await _certificates.UnmapAsync("shop", "dns:shop.example.org"));
        Assert.Null(_certificates.Authenticate(successor));
        Assert.NotNull(_certificates.Authenticate(other));
        Assert.Equal(1, await _certificates.UnmapAsync("shop", san: null));
        Assert.Null(_certificates.Authenticate(other));
        Assert.Equal("sha256:" + stolen.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(), Assert.Single(_certificates.List()).San);
    }

    [Fact]
    public async Task A_certificate_runs_out_while_its_connection_is_open()
    {
        await MapAsync("shop", "dns:shop.example.org");
        var certificate = Certificate("shop.example.org");
        Assert.NotNull(_certificates.Authenticate(certificate));

        _clock.SetUtcNow(new DateTimeOffset(certificate.NotAfter));

        Assert.Null(_certificates.Authenticate(certificate));
    }

    [Fact]
    public async Task A_name_stands_for_one_caller_and_a_caller_has_one_set_of_rights()
    {
        await MapAsync("shop", "dns:shop.example.org");

        Assert.False(await _certificates.MapAsync(Caller("mall"), ["dns:shop.example.org"]));
        Assert.False(await _certificates.MapAsync(Caller("shop", Scopes.Admin), ["dns:shop2.example.org"]));
        Assert.False(await _certificates.MapAsync(Caller("shop", tenant: "another"), ["dns:shop2.example.org"]));
        Assert.False(await _certificates.MapAsync(Caller("shop"), ["dns:shop2.example.org", "dns:shop.example.org"]));
        Assert.Single(_certificates.List());
        Assert.True(await _certificates.MapAsync(Caller("shop"), ["dns:shop2.example.org"]));
    }

    [Theory]
    [InlineData("dns:Shop.Example.ORG", "dns:shop.example.org")]
    [InlineData("uri:spiffe://example.org/Shop", "uri:spiffe://example.org/Shop")]
    [InlineData("dns:*.example.org", null)]
    [InlineData("dns:shop.example.org.", null)]
    [InlineData("dns:192.0.2.1", null)]
    [InlineData("dns:", null)]
    [InlineData("dns:shop.example.org\0.evil.org", null)]
    [InlineData("dns:shop example", null)]
    [InlineData("DNS:shop.example.org", null)]
    [InlineData("uri:shop", null)]
    [InlineData("email:a@example.org", null)]
    [InlineData("shop.example.org", null)]
    public void A_name_has_one_spelling(string text, string? normal) => Assert.Equal(normal, CertificateNames.Normal(text));

    [Fact]
    public void A_broken_list_of_names_holds_none()
    {
        Assert.Empty(NamesIn([0x30, 0x05, 0x82, 0x10, 0x61])); // longer than it is
        Assert.Equal(["dns:a.b"], NamesIn([0x30, 0x0B, 0x87, 0x04, 127, 0, 0, 1, 0x82, 0x03, 0x61, 0x2E, 0x62])); // beside an address
        Assert.Empty(NamesIn([0x30, 0x05, 0x82, 0x03, 0x61, 0x00, 0x62])); // a NUL
    }

    private IReadOnlyList<string> NamesIn(byte[] subjectAltName) =>
        CertificateNames.Of(Issue("CN=x", new X509Extension("2.5.29.17", subjectAltName, critical: false)));

    private static (string, string, Scopes) Of(Principal caller) => (caller.Id, caller.Tenant, caller.Scopes);

    private static Principal Caller(string name, Scopes scopes = Scopes.Verify, string tenant = "default") =>
        ClientCertificates.NewCaller(name, tenant, scopes, disablePage: null);

    private async Task MapAsync(string name, params string[] sans) => Assert.True(await _certificates.MapAsync(Caller(name), sans));

    private X509Certificate2 Certificate(params string[] names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (name.Contains("://", StringComparison.Ordinal)) builder.AddUri(new Uri(name));
            else builder.AddDnsName(name);
        }

        return names.Length == 0 ? Issue("CN=nobody") : Issue("CN=any", builder.Build());
    }

    private X509Certificate2 CertificateOfCommonName(string name) => Issue($"CN={name}");

    private X509Certificate2 Issue(string subject, params X509Extension[] extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        foreach (var extension in extensions) request.CertificateExtensions.Add(extension);
        return request.CreateSelfSigned(_clock.GetUtcNow().AddDays(-1), _clock.GetUtcNow().AddDays(1));
    }
}
