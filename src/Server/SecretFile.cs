namespace Mfa.Server;

/// <summary>A credential or key in a file of its own: never on a command line, where every user of the machine can read it.</summary>
internal static class SecretFile
{
    /// <summary>Read at each use, so that a new credential needs no restart.</summary>
    public static string Read(string path) => File.ReadAllText(path).Trim();

    /// <exception cref="StartRefusedException">The file is missing, empty or readable by others.</exception>
    public static void Check(string setting, string path)
    {
        if (path.Length == 0 || !File.Exists(path)) throw new StartRefusedException($"Setting {setting}: there is no file '{path}'.");
        if ((File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != UnixFileMode.None)
            throw new StartRefusedException($"Setting {setting}: others may read {path}. Run: chmod 600 {path}");
        if (Read(path).Length == 0) throw new StartRefusedException($"Setting {setting}: {path} is empty.");
    }
}
