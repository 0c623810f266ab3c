namespace Mfa.Server.Doctor;

/// <summary>Room to write to: a call that cannot be saved is refused.</summary>
internal static class DiskCheck
{
    private const long MebiByte = 1024 * 1024;

    /// <summary>Less than the write-ahead log of a busy server may take.</summary>
    public const long Least = 64 * MebiByte;

    /// <summary>About a week of a busy server's growth: time to do something about it.</summary>
    public const long Comfortable = 1024 * MebiByte;

    public static Finding Space(Patient patient) => Directory.Exists(patient.Folder)
        ? Judge(new DriveInfo(patient.Folder).AvailableFreeSpace)
        : Finding.Warn("nothing to look at.", "");

    public static Finding Judge(long free)
    {
        var words = $"{free / MebiByte} MiB free.";
        return free < Least ? Finding.Fail(words, "Make room: when the disk is full, every call that must be saved fails.")
            : free < Comfortable ? Finding.Warn(words, "Make room before the disk is full.")
            : Finding.Ok(words);
    }
}
