using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Mfa.Server.Tests.Callers;

/// <summary>A key of an issuer. Makes tokens with the platform's own RSA and ECDSA: nothing of the product's.</summary>
internal sealed class IssuerKey(string id, string algorithm) : IDisposable
{
    private readonly RSA? _rsa = algorithm[0] == 'E' ? null : RSA.Create(2048);
    private readonly ECDsa? _ec = algorithm[0] == 'E' ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;

    public string Id => id;

    public string Algorithm => algorithm;

    /// <summary>The public key as PEM: what a careless verifier takes for the secret of an HMAC.</summary>
    public string Pem => _rsa?.ExportSubjectPublicKeyInfoPem() ?? _ec!.ExportSubjectPublicKeyInfoPem();

    public JsonObject Jwk()
    {
        if (_rsa?.ExportParameters(includePrivateParameters: false) is { } rsa)
        {
            var (n, e) = (Base64Url.EncodeToString(rsa.Modulus), Base64Url.EncodeToString(rsa.Exponent));
            return new JsonObject { ["kty"] = "RSA", ["use"] = "sig", ["kid"] = id, ["n"] = n, ["e"] = e };
        }

        var ec = _ec!.ExportParameters(includePrivateParameters: false);
        var (x, y) = (Base64Url.EncodeToString(ec.Q.X), Base64Url.EncodeToString(ec.Q.Y));
        return new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = id, ["x"] = x, ["y"] = y };
    }

    public byte[] Sign(byte[] data) => _ec?.SignData(data, HashAlgorithmName.SHA256) ?? _rsa!.SignData(
        data, HashAlgorithmName.SHA256, algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);

    public void Dispose()
    {
        _rsa?.Dispose();
        _ec?.Dispose();
    }
}

/// <summary>Makes tokens of an issuer: good ones, and each kind of bad one.</summary>
internal sealed class Issuer : IDisposable
{
    public const string Name = "https://issuer.example.org";
    public const string Audience = "mfa";

    /// <summary>What it takes the times of its tokens from.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    public IssuerKey Rsa { get; } = new("rsa-1", "RS256");

    public IssuerKey Pss { get; } = new("pss-1", "PS256");

    public IssuerKey Ec { get; } = new("ec-1", "ES256");

    public string KeySet => KeySetOf(Rsa, Pss, Ec);

    public static string[] Settings(string keysFile) => [$"jwt:issuer={Name}", $"jwt:audience={Audience}", $"jwt:keysFile={keysFile}"];

    public static string KeySetOf(params IssuerKey[] keys) =>
        new JsonObject { ["keys"] = new JsonArray([.. keys.Select(key => (JsonNode)key.Jwk())]) }.ToJsonString();

    /// <summary>A good token, unless header or claims are made otherwise.</summary>
    public string Token(Action<JsonObject>? claims = null, Action<JsonObject>? header = null, IssuerKey? key = null)
    {
        key ??= Rsa;
        var (head, body) = (new JsonObject { ["alg"] = key.Algorithm, ["kid"] = key.Id, ["typ"] = "JWT" }, Claims());
        header?.Invoke(head);
        claims?.Invoke(body);
        return Signed(head.ToJsonString(), body.ToJsonString(), key.Sign);
    }

    public JsonObject Claims() => new()
    {
        ["iss"] = Name,
        ["aud"] = Audience,
        ["sub"] = "shop",
        ["tenant"] = "default",
        ["scope"] = "openid verify enroll",
        ["exp"] = Now + 300,
        ["nbf"] = Now - 10,
    };

    public long Now => Clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Any two texts, signed in any way.</summary>
    public static string Signed(string header, string claims, Func<byte[], byte[]> sign) =>
        Signed(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(claims), sign);

    public static string Signed(byte[] header, byte[] claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public void Dispose()
    {
        Rsa.Dispose();
        Pss.Dispose();
        Ec.Dispose();
    }
}
