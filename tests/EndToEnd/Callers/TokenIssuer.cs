using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Callers;

/// <summary>An issuer whose keys and tokens are made by Node: it shares no code with the server that judges them.</summary>
internal sealed class TokenIssuer
{
    public const string Name = "https://issuer.example.org";
    public const string Audience = "mfa-e2e";

    private readonly Dictionary<string, (JsonNode Private, JsonNode Public, string Algorithm)> _keys = [];

    public string KeySet => KeySetOf([.. _keys.Keys]);

    public string KeySetOf(params string[] ids) =>
        new JsonObject { ["keys"] = new JsonArray([.. ids.Select(id => _keys[id].Public.DeepClone())]) }.ToJsonString();

    public JsonNode PublicKey(string id) => _keys[id].Public.DeepClone();

    public async Task AddKeyAsync(string id, string algorithm)
    {
        var pair = JsonNode.Parse(await NodeAsync("", "new", id, algorithm))!;
        _keys[id] = (pair["private"]!, pair["public"]!, algorithm);
    }

    /// <summary>A good token, but for the claims and header members that are given.</summary>
    public Task<string> TokenAsync(string key, JsonObject? claims = null, JsonObject? header = null) =>
        TokenAsync(key, _keys[key].Algorithm, claims, header);

    public async Task<string> TokenAsync(string key, string algorithm, JsonObject? claims = null, JsonObject? header = null)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var all = new JsonObject
        {
            ["iss"] = Name, ["aud"] = Audience, ["sub"] = "till", ["tenant"] = "default", ["scope"] = "verify enroll disable",
            ["iat"] = now, ["exp"] = now + 3600,
        };
        foreach (var (name, value) in claims ?? []) all[name] = value?.DeepClone();
        var job = new JsonObject { ["jwk"] = _keys[key].Private.DeepClone(), ["alg"] = algorithm, ["header"] = header ?? [], ["claims"] = all };
        return (await NodeAsync(new JsonArray(job).ToJsonString(), "sign")).Trim();
    }

    private static async Task<string> NodeAsync(string input, params string[] arguments)
    {
        var script = Path.Combine(ServerProgram.Repository, "tests", "EndToEnd", "Callers", "jwt.mjs");
        var ended = await OutsideProgram.RunAsync(new ProcessStartInfo("node", [script, .. arguments]), Encoding.UTF8.GetBytes(input), "nodejs");
        Assert.True(ended.ExitCode == 0, ended.Errors);
        return ended.Output;
    }
}
