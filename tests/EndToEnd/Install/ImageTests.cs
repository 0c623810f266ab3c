using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Install;

/// <summary>The image archive, unpacked as an engine does and run with nothing but what is in it.</summary>
public sealed class ImageTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_runs_with_what_is_in_it_and_serves()
    {
        var layout = _folder["layout"];
        Directory.CreateDirectory(layout);
        await Packages.DoneAsync(new ProcessStartInfo("tar", ["-xf", Packages.Image, "-C", layout]));
        var index = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(layout, "index.json"), TestContext.Current.CancellationToken)).RootElement;
        var manifest = JsonDocument.Parse(await BlobAsync(layout, index.GetProperty("manifests")[0])).RootElement;
        var image = JsonDocument.Parse(await BlobAsync(layout, manifest.GetProperty("config"))).RootElement;
        var layer = await BlobAsync(layout, Assert.Single(manifest.GetProperty("layers").EnumerateArray()));

        var root = await UnpackAsync(layer, image.GetProperty("rootfs").GetProperty("diff_ids")[0].GetString()!);
        var config = image.GetProperty("config");
        string[] entry = [.. Words(config, "Entrypoint"), .. Words(config, "Cmd"), "--listen", "http://127.0.0.1:0", "--web", "http://127.0.0.1:0"];
        await using var server = await InstalledServer.StartAsync(Within(root, config, entry), Within(root, config,
            [entry[0], "keys", "create", "shop", "--scopes", "verify,enroll", "--data", "/var/lib/mfa-server"]));

        await Owner.AssertServedAsync(server.Caller);
        Assert.True(File.Exists(Path.Combine(root, "var/lib/mfa-server/mfa.db")));
        Assert.DoesNotContain("root", config.GetProperty("User").GetString(), StringComparison.Ordinal);
    }

    private static string[] Words(JsonElement config, string name) => [.. config.GetProperty(name).EnumerateArray().Select(word => word.GetString()!)];

    /// <summary>A blob, which must be what its descriptor says.</summary>
    private static async Task<byte[]> BlobAsync(string layout, JsonElement descriptor)
    {
        var digest = descriptor.GetProperty("digest").GetString()!;
        var bytes = await File.ReadAllBytesAsync(Path.Combine(layout, "blobs", digest.Replace(':', '/')), TestContext.Current.CancellationToken);
        Assert.Equal(descriptor.GetProperty("size").GetInt64(), bytes.Length);
        Assert.Equal(digest, DigestOf(bytes));
        return bytes;
    }

    private static string DigestOf(byte[] bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";

    private async Task<string> UnpackAsync(byte[] layer, string diffId)
    {
        using var gzip = new GZipStream(new MemoryStream(layer), CompressionMode.Decompress);
        using var tar = new MemoryStream();
        await gzip.CopyToAsync(tar, TestContext.Current.CancellationToken);
        Assert.Equal(diffId, DigestOf(tar.ToArray()));
        await File.WriteAllBytesAsync(_folder["layer.tar"], tar.ToArray(), TestContext.Current.CancellationToken);
        var root = _folder["root"];
        Directory.CreateDirectory(root);
        await Packages.DoneAsync(new ProcessStartInfo("tar", ["-xpf", _folder["layer.tar"], "--numeric-owner", "-C", root]));
        return root;
    }

    /// <summary>With the image's own root, user and environment, and of this machine only what every engine gives: /proc and /dev.</summary>
    private static ProcessStartInfo Within(string root, JsonElement config, string[] command)
    {
        const string Enter = """mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$@" """;
        string[] namespaces = Environment.IsPrivilegedProcess ? ["--mount"] : ["--mount", "--map-root-user"];
        string[] user = Environment.IsPrivilegedProcess ? [$"--userspec={config.GetProperty("User").GetString()}"] : [];
        var start = new ProcessStartInfo("unshare", [.. namespaces, "sh", "-c", Enter, root, .. user, root, .. command]);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"; // for chroot itself
        foreach (var pair in Words(config, "Env").Where(pair => !pair.StartsWith("PATH=", StringComparison.Ordinal)))
            start.Environment[pair.Split('=')[0]] = pair.Split('=', 2)[1];
        return start;
    }
}
