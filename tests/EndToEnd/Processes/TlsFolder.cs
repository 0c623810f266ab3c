namespace Mfa.EndToEnd.Processes;

/// <summary>The TLS files of a server, as an operator lays them down and later replaces them.</summary>
internal sealed class TlsFolder(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Certificate => Path.Combine(path, "server.crt");

    public string Key => Path.Combine(path, "server.key");

    public string ClientCa => Path.Combine(path, "clients.crt");

    /// <summary>The options that make a server take these files.</summary>
    public string[] Settings => File.Exists(ClientCa)
        ? [$"tls:certificateFile={Certificate}", $"tls:keyFile={Key}", $"tls:clientCaFile={ClientCa}"]
        : [$"tls:certificateFile={Certificate}", $"tls:keyFile={Key}"];

    /// <summary>Each file appears whole, in the place of the one before.</summary>
    public void Write(Certificates certificates, string? clientCa = null)
    {
        Directory.CreateDirectory(path);
        Replace(Key, certificates.Key);
        Replace(Certificate, certificates.Chain);
        if (clientCa is not null) Replace(ClientCa, clientCa);
    }

    private static void Replace(string file, string pem)
    {
        File.WriteAllText($"{file}.new", pem);
        File.SetUnixFileMode($"{file}.new", OwnerOnly);
        File.Move($"{file}.new", file, overwrite: true);
    }
}
