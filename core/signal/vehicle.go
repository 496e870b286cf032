package signal

import "slices"

// Replace puts facts in the place of what is known of a vehicle, or forgets the vehicle when v is nil.
// The profile keeps v's memory.
func (p *Profile) Replace(vin string, v *VehicleFacts) {
	i, ok := p.search(vin)
	switch {
	case ok && v == nil:
		p.Vehicles = slices.Delete(p.Vehicles, i, i+1)
	case ok:
		p.Vehicles[i] = *v
	case v != nil:
		p.Vehicles = slices.Insert(p.Vehicles, i, *v)
		p.dropVehicles()
	}
}
