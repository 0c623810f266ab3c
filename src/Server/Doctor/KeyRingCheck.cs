using Mfa.Server.Protection;

namespace Mfa.Server.Doctor;

/// <summary>The key ring: readable, for its owner alone, and fit to seal with.</summary>
internal static class KeyRingCheck
{
    public static Finding Ring(Patient patient)
    {
        if (!Path.Exists(patient.Ring))
        {
            if (File.Exists($"{patient.Ring}.first")) return Finding.Warn("the first start was cut off.", "The next one goes on.");
            return File.Exists(patient.Database)
                ? Finding.Fail($"{patient.Ring} is missing, but the database needs it.", "Restore it from its backup; without it no enrollment opens.")
                : Finding.Warn($"{patient.Ring} is not there yet.", "The first start creates it: keep a copy apart from the database.");
        }

        var ring = KeyRingFile.Load(patient.Ring);
        new Sealer(ring).SelfTest();
        var count = ring.Ids.Count();
        return Finding.Ok($"{count} {(count == 1 ? "key" : "keys")}, {ring.ActiveId:x8} in use; the self-test passed.");
    }
}
