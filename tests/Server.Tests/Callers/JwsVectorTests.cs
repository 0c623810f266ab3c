using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Mfa.Server.Callers;

namespace Mfa.Server.Tests.Callers;

/// <summary>Project Wycheproof's cases for signed tokens (AU3): keys with one purpose, forged paddings, edge values of r and s.</summary>
public sealed class JwsVectorTests
{
    /// <summary>Valid for Wycheproof, refused here: the key says it is for PS256 (346, 350) or for an algorithm that does not exist (347, 351).</summary>
    private static readonly int[] StricterKeys = [346, 347, 350, 351];

    /// <summary>Valid for Wycheproof when a decoder passes over strange characters; this one does not.</summary>
    private static readonly int[] StricterForms = [372, 373];

    /// <summary>The same texts as the valid 357: nothing can refuse them.</summary>
    private static readonly int[] SameAsValid = [367, 370];

    private static readonly JsonNode Vectors = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder(), "vectors", "json_web_signature.json")))!;

    [Fact]
    public void Every_signature_is_judged_as_it_should_be()
    {
        var judged = (Valid: 0, Invalid: 0);
        var wrong = new List<string>();
        foreach (var group in Vectors["groups"]!.AsArray())
        {
            var keys = IssuerKeys.Parse(new JsonObject { ["keys"] = new JsonArray(group!["public"]!.DeepClone()) }.ToJsonString())!;
            foreach (var test in group["tests"]!.AsArray())
            {
                var expected = (string?)test!["result"] == "valid" && !StricterKeys.Contains((int)test["tcId"]!);
                _ = expected ? judged.Valid++ : judged.Invalid++;
                if (IsValid((string)test["jws"]!, keys) != expected) wrong.Add($"{test["tcId"]} {test["comment"]}");
            }
        }

        Assert.Empty(wrong);
        Assert.Equal((32, 329), judged);
    }

    [Fact]
    public void A_token_has_one_spelling()
    {
        var wrong = from test in Vectors["forms"]!.AsArray()
                    let id = (int)test["tcId"]!
                    where !SameAsValid.Contains(id)
                    let expected = (string?)test["result"] == "valid" && !StricterForms.Contains(id)
                    where SignedToken.Read((string)test["jws"]!) is not null != expected
                    select $"{id} {test["comment"]}";

        Assert.Empty(wrong);
    }

    /// <summary>As a call is judged: the key by the token's id and algorithm, from the issuer's set alone.</summary>
    private static bool IsValid(string jws, IssuerKeys keys) =>
        SignedToken.Read(jws) is { } token && keys.Find(token.KeyId, token.Algorithm) is { } key && token.IsSignedBy(key);

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
