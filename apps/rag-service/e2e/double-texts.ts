/** What the double's documents say. A form feed starts a page. */

export const MANUAL = `1 Purpose

The harbour crane HC-40 lifts general cargo of up to 40 t at a radius of 18 m. It is driven by one operator from the cabin and may be moved along the quay on its own rails. This manual is for operators and for those who maintain the crane; it must lie in the cabin at all times.

2 Limits

The load on the hook must never exceed what the table at the foot of the jib allows for the radius at hand. The anemometer on the jib head is read by the control, which warns the operator at 12 m/s.

Stop all work when the wind at the jib head exceeds 16 m/s for longer than one minute. Lower the load, bring the jib to its rest and set the storm brakes before leaving the cabin.

Do not work below an outside temperature of minus 20 °C. The hydraulic oil is then too thick for the valves to close in time, and the boom may sink although the lever is at rest.\f3 Maintenance

All intervals are counted in hours of work, which the control shows on its first page. Whoever does a piece of maintenance writes it down with date and name in the crane's book.

3.1 Ropes

Look over the hoisting rope every day before work begins. A rope with more than six broken wires on a length of six diameters is replaced at once, and so is one with a kink, a crushed place or visible rust between its strands.

3.2 Slewing ring

Grease the slewing ring every 250 hours of work, turning the crane slowly through one full circle. Use lithium grease of class 2. Old grease that comes out at the lip is wiped away and taken to the collecting point.

The bolts of the ring are checked with a torque wrench after the first 50 hours and then every 1,000 hours. A bolt that turns further is replaced together with its two neighbours.

3.3 Brakes

The lining of the hoisting brake must be thicker than 4 mm at its thinnest place.\fIn salt air halve every interval of this chapter. What counts as salt air is decided by the harbour master; every quay that is open to the sea is taken to be so until then.

3.4 Electrical parts

The slip rings are cleaned with a dry cloth every 500 hours. Never use spirit: it takes the lacquer off.\f4 Faults

When the control shows a fault, bring the load to the ground first. Read the number in the list below, and do only what is written there. Anything else is for the maker.

F12: the radius sensor gives no value. Measure the radius by hand and work with half of the load until the sensor is replaced.
F20: the oil is too warm. Let the pump run without a load for ten minutes.
F31: the anemometer is silent. Work only while another wind gauge is in sight of the cabin.`;

export const LEASE = `Lease of the north quay

1 What is let

The harbour lets the north quay between bollards 14 and 31 to the tenant, with the shed, the crane rails and the right of way from the gate.

2 Term and notice

The lease begins on 1 March and runs for five years. Either side may give notice in writing six months before the end of a calendar year; without notice it goes on for a year at a time.

3 Rent

The rent is due on the third working day of each month. When it is late by more than ten days, interest of four per cent a year is added.

4 Duties of the tenant

The tenant keeps the quay clear of grease and oil and bears the cost of any cleaning. The bollards are painted once a year, in yellow. Ships of the harbour master may moor at any time.`;

/** A text with form feeds as the service would store it, with the places where its pages begin. */
export function paged(source: string): {
  text: string;
  pages: { page: number; charStart: number; charEnd: number }[];
} {
  let text = "";
  const pages = source.split("\f").map((part, index) => {
    const charStart = text.length;
    text += index === 0 ? part : `${part}`;
    const charEnd = text.length;
    text += "\n\n";
    return { page: index + 1, charStart, charEnd };
  });
  return { text: text.trimEnd(), pages };
}
