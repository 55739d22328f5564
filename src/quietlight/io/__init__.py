"""file <-> frame: photos, raws, DNGs, bursts and what they say of themselves."""
