namespace Mfa.Server.Doctor;

/// <summary>The data folder: whose it is, who else may look into it, and what was left there.</summary>
internal static class FolderChecks
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static Finding Folder(Patient patient)
    {
        var folder = patient.Folder;
        if (!Directory.Exists(folder))
            return Finding.Fail($"there is no folder {folder}.", $"Name the right one with --data, or create it: mfa-server init --data {folder}");
        if (File.GetUnixFileMode(folder) is var mode && (mode & Others) != UnixFileMode.None)
            return Finding.Fail($"others may look into {folder} (mode {Octal(mode)}).", $"Run: chmod 700 {folder}");
        var (owner, us) = (FileOwner.Of(folder), FileOwner.Us);
        return owner == us
            ? Finding.Ok($"{folder}, for its owner alone.")
            : Finding.Warn($"{folder} belongs to user {owner}, and this is user {us}.", "Run this, and the server, as the user that the folder belongs to.");
    }

    public static Finding Files(Patient patient)
    {
        if (!Directory.Exists(patient.Folder)) return Finding.Warn("nothing to look at.", "");
        var owner = FileOwner.Of(patient.Folder);
        var all = new DirectoryInfo(patient.Folder).GetFileSystemInfos("*", SearchOption.AllDirectories);
        // A certificate is shown to everybody anyway.
        var open = all.Where(f => !f.Name.EndsWith(".crt", StringComparison.Ordinal) && (File.GetUnixFileMode(f.FullName) & Others) != UnixFileMode.None).ToArray();
        var strange = all.Where(f => FileOwner.Of(f.FullName) != owner).ToArray();
        if (open.Length > 0)
        {
            return Finding.Fail(
                $"others may use {string.Join(", ", open.Select(f => $"{f.FullName} (mode {Octal(File.GetUnixFileMode(f.FullName))})"))}.",
                $"Run: chmod go= {string.Join(' ', open.Select(f => f.FullName))}");
        }

        return strange.Length == 0
            ? Finding.Ok($"{all.Length}, for their owner alone.")
            : Finding.Fail(
                $"not the folder's owner has {string.Join(", ", strange.Select(f => f.FullName))}.",
                $"Run: chown {owner} {string.Join(' ', strange.Select(f => f.FullName))}");
    }

    /// <summary>A key with every scope, and messages with codes, are for no folder that is served in earnest.</summary>
    public static Finding Development(Patient patient)
    {
        if (patient.Dev) return Finding.Ok("this is a development server.");
        string[] left = [.. new[] { Path.Combine(patient.Folder, DataFolder.DevKeyFile), Path.Combine(patient.Folder, "outbox") }.Where(Path.Exists)];
        return left.Length == 0
            ? Finding.Ok("nothing was left by --dev.")
            : Finding.Warn(
                $"--dev has left {string.Join(" and ", left)}.",
                $"Run: mfa-server keys revoke dev --data {patient.Folder} && rm -r {string.Join(' ', left)}");
    }

    public static Finding Serving(Patient patient)
    {
        var path = Path.Combine(patient.Folder, FolderLocks.ServeFile);
        if (!File.Exists(path)) return Finding.Ok("no server has served this folder yet.");
        try
        {
            // A shared lock, for a moment: the system has no way to ask without.
            using var probe = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return Finding.Ok("no server is serving this folder.");
        }
        catch (IOException)
        {
            return Finding.Ok("a server is serving this folder.");
        }
    }

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');
}
